//! Prints every record of a lab.
fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let s = hookwalk_lab::session::Session::new(&text).unwrap();
    let mut last = u32::MAX;
    for r in s.records(0..usize::MAX) {
        if r.line != last {
            last = r.line;
            let l = &s.lab().lines[r.line as usize];
            println!("## {}", s.lab().source(l));
        }
        println!("   {:?}", r.what);
    }
}
