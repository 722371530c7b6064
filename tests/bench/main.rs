//! Benchmarks. `cargo bench` runs the micro-benchmarks; with `WARROOM_FIGURES=1` it measures the
//! shipped program as its users feel it, beside a raw peer in the same run, and prints ratios.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod figures;
mod micro;
mod paging;
mod peers;
mod talk;

fn main() {
    if std::env::var_os("WARROOM_FIGURES").is_some() {
        let only = |part: &str| std::env::var_os(format!("WARROOM_{part}_ONLY")).is_some();
        let is_all = !only("PAGING") && !only("TALK") && !only("START");
        if is_all {
            figures::print();
        }
        if only("START") {
            figures::start_and_search();
        }
        if is_all || only("PAGING") {
            paging::print();
        }
        if is_all || only("TALK") {
            talk::print();
        }
    } else {
        micro::keep();
        divan::main();
    }
}
