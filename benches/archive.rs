//! Reading archives: of a usual size, with many files, and a bomb.

use chartroom::chart::archive::{Acceptance, read};
use chartroom::chart::limits::Limits;
use criterion::{Criterion, criterion_group, criterion_main};

#[expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "it serves the tests"
)]
#[path = "../tests/support/archive.rs"]
mod archive;

use archive::Archive;

fn chart() -> Archive {
    Archive::default()
        .file(
            "demo/Chart.yaml",
            "apiVersion: v2\nname: demo\nversion: 1.0.0\n",
        )
        .file("demo/values.yaml", "replicas: 1\nimage: {tag: latest}\n")
}

fn reading(criterion: &mut Criterion) {
    let limits = Limits::default();
    let template = "kind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\n".repeat(20);
    let with_templates = |count: usize| {
        let files = (0..count).map(|number| format!("demo/templates/{number}.yaml"));
        files
            .fold(chart(), |archive, path| archive.file(path, &template))
            .tgz()
    };
    for (name, bytes) in [
        ("10 templates", with_templates(10)),
        ("1000 templates", with_templates(1000)),
    ] {
        criterion.bench_function(&format!("archive read, {name}"), |bencher| {
            bencher.iter(|| read(&bytes, &limits, Acceptance::Upload).is_ok());
        });
    }
    let zeros = vec![0; 5 << 20];
    let bomb = (0..25).fold(chart(), |archive, number| {
        archive.file(format!("demo/{number}.bin"), &zeros)
    });
    let bomb = bomb.tgz();
    criterion.bench_function("archive refuse, 125 MiB of zeros", |bencher| {
        bencher.iter(|| read(&bomb, &limits, Acceptance::Upload).is_err());
    });
}

criterion_group!(benches, reading);
criterion_main!(benches);
