//! Micro-benchmarks; filled below.

fn main() {
    divan::main();
}
