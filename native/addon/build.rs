//! Sets the linker flags a Node-API addon needs on each platform, and has the linker fold functions that came out the
//! same, where Rust links with lld.

fn main() {
    napi_build::setup();
    let target = std::env::var("TARGET").unwrap_or_default();
    if target == "x86_64-unknown-linux-gnu" {
        println!("cargo::rustc-link-arg-cdylib=-Wl,--icf=all");
    }
}
