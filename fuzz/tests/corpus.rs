//! Replays the corpora without libFuzzer, so that no target rots and what was found stays found.

use std::fs;
use std::path::Path;

use chartroom_fuzz::TARGETS;

#[test]
fn every_input_of_the_corpora_passes() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(name);
        let mut inputs: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("a folder can be read").path())
            .collect();
        assert!(!inputs.is_empty(), "{name} has no corpus");
        inputs.sort();
        for input in inputs {
            // A panic tells no more than what failed: the last line that was printed is the input.
            println!("{}", input.display());
            target(&fs::read(&input).expect("an input can be read"));
        }
    }
}
