//! Benchmarks. `cargo bench` runs the micro-benchmarks; with `WARROOM_FIGURES=1` it measures the
//! shipped program as its users feel it, beside a raw peer in the same run, and prints ratios.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod figures;
mod micro;
mod peers;

fn main() {
    if std::env::var_os("WARROOM_FIGURES").is_some() {
        figures::print();
    } else {
        micro::keep();
        divan::main();
    }
}
