fn main() {
    napi_build::setup();
    // A thread of Node's that ends must not unmap the code that other threads, or its own destructors, still run.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
