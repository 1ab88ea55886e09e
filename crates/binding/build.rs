fn main() {
    napi_build::setup();
    // The core notes the poller that tokio makes, by a function of its own (crates/reactor/src/sys/unix/poller.rs). Its
    // calls have to end there and not in the C library.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic");
    }
}
