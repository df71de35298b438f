//! Repositories whose names begin alike, in a bucket (10.2: 18).

use std::collections::BTreeSet;

use crate::charts::{chart, provenance};
use crate::places::Place;
use crate::stores::Kind;
use crate::subject::{Launch, Program};
use crate::wire::Ask;

/// ChartMuseum lists `aa/x.tgz` as `ax.tgz` of `a`, cannot read it, and answers 500 for `a` from then on.
#[test]
fn siblings_in_a_bucket_do_not_see_each_other() {
    for kind in [Kind::Minio, Kind::FakeGcs, Kind::Azurite] {
        let Some(place) = Place::bucket(kind, "repositories whose names begin alike, in a bucket")
        else {
            return;
        };
        let home = tempfile::tempdir().expect("a temporary directory");
        let flags = place.flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let mut launch = Launch::new(home.path())
            .flags(&flags)
            .flags(&["--depth-dynamic"]);
        for (name, value) in place.variables() {
            launch = launch.variable(&name, value);
        }
        let server = launch.start(&Program::under_test());
        let tenants = ["a", "aa", "aaa", "org", "org-org", "org/a", "org/a/a"];
        for tenant in tenants {
            let name = format!("of-{}", tenant.replace('/', "-"));
            let upload = Ask::post(format!("/api/{tenant}/charts"), chart(&name, "1.0.0"));
            assert_eq!(server.ask(&upload).status, 201, "{kind:?} {tenant}");
            let signature = Ask::post(format!("/api/{tenant}/prov"), provenance(&name, "1.0.0"));
            assert_eq!(server.ask(&signature).status, 201, "{kind:?} {tenant}");
        }
        // Found anew, not remembered.
        server.stop();
        let mut launch = Launch::new(home.path())
            .flags(&flags)
            .flags(&["--depth-dynamic"]);
        for (name, value) in place.variables() {
            launch = launch.variable(&name, value);
        }
        let server = launch.start(&Program::under_test());
        for tenant in tenants {
            let name = format!("of-{}", tenant.replace('/', "-"));
            let list = server.get(&format!("/api/{tenant}/charts")).json();
            let names: BTreeSet<&String> = list.as_object().expect("a map").keys().collect();
            assert_eq!(names, BTreeSet::from([&name]), "{kind:?} {tenant}");
            let index = server.get(&format!("/{tenant}/index.yaml"));
            assert_eq!(index.status, 200, "{index}");
            assert_eq!(
                index.text().matches(".tgz").count(),
                1,
                "{kind:?} {tenant}: {index}"
            );
            assert_eq!(
                server
                    .get(&format!("/{tenant}/charts/{name}-1.0.0.tgz"))
                    .status,
                200
            );
        }
        assert_eq!(
            server.ask(&Ask::delete("/api/a/charts/of-aa/1.0.0")).status,
            404
        );
        assert_eq!(
            server.ask(&Ask::delete("/api/a/charts/of-a/1.0.0")).status,
            200
        );
        assert_eq!(server.get("/aa/charts/of-aa-1.0.0.tgz").status, 200);
        assert_eq!(server.get("/a/charts/of-a-1.0.0.tgz").status, 404);
    }
}
