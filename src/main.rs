//! The program; everything is in the library.

fn main() -> std::process::ExitCode {
    warroom::cli::main()
}
