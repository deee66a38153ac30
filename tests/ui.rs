//! What must not compile, and with which words; what must compile under the strictest lints.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/**/*.rs");
}
