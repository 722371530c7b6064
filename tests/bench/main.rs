//! Benchmarks. `cargo bench` runs the micro-benchmarks; with `WARROOM_FIGURES=1` it measures the
//! shipped program as its users feel it, beside a raw peer in the same run, and prints ratios.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod figures;
mod micro;
mod paging;
mod peers;

fn main() {
    if std::env::var_os("WARROOM_FIGURES").is_some() {
        if std::env::var_os("WARROOM_PAGING_ONLY").is_none() {
            figures::print();
        }
        paging::print();
    } else {
        micro::keep();
        divan::main();
    }
}
