//! Pages of other origins.

use axum::http::{HeaderValue, Method};
use chartroom::http::settings::{ContextPath, Depth};

use crate::support::{Builder, Reply, TestServer, chart};

const ALLOW_ORIGIN: &str = "access-control-allow-origin";

fn allowing(origin: &'static str) -> Builder {
    TestServer::builder()
        .settings(|settings| settings.cors_allow_origin = Some(HeaderValue::from_static(origin)))
}

async fn ask(server: &TestServer, path: &str, method: &str) -> Reply {
    let headers = [
        ("origin", "https://ui.example"),
        ("access-control-request-method", method),
    ];
    server.request(Method::OPTIONS, path, &headers).await
}

#[tokio::test]
async fn every_reply_of_the_api_has_the_header_and_no_other() {
    for (context_path, depth, below) in [
        ("", Depth::Fixed(0), ""),
        ("/ctx", Depth::Fixed(0), ""),
        ("/a/b", Depth::Fixed(1), "/org"),
    ] {
        let server = allowing("https://ui.example")
            .settings(|settings| {
                settings.context_path = ContextPath::parse(context_path).unwrap();
                settings.depth = depth;
                settings.max_upload_size = 1000;
            })
            .build()
            .await;
        let api = format!("{context_path}/api{below}");
        let upload = server
            .post(&format!("{api}/charts"), chart("one", "1.0.0"))
            .await;
        assert_eq!(
            (upload.status.as_u16(), upload.header(ALLOW_ORIGIN)),
            (201, "https://ui.example")
        );
        for (method, path, body, status) in [
            (Method::GET, "/charts", 0, 200),
            (Method::HEAD, "/charts", 0, 200),
            (Method::GET, "/charts/one/latest", 0, 200),
            (Method::GET, "/charts/one/1.0.0/values", 0, 404),
            (Method::GET, "/charts/none", 0, 404),
            (Method::GET, "/charts?limit=0", 0, 400),
            (Method::POST, "/charts", 0, 400),
            (Method::POST, "/charts", 1001, 413),
            (Method::PATCH, "/charts", 0, 405),
            (Method::OPTIONS, "/charts", 0, 405),
            (Method::GET, "/no/such/row/at/all", 0, 404),
            (Method::DELETE, "/charts/one/9.9.9", 0, 404),
        ] {
            let path = format!("{api}{path}");
            let body = vec![0; body].into();
            let reply = server.post_as(method.clone(), &path, &[], body).await;
            let allowed = if method == Method::OPTIONS {
                ""
            } else {
                "https://ui.example"
            };
            let seen = (reply.status.as_u16(), reply.header(ALLOW_ORIGIN));
            assert_eq!(seen, (status, allowed), "{method} {path}");
            assert_ne!(reply.header("x-request-id"), "");
        }
        for path in [
            format!("{context_path}{below}/index.yaml"),
            format!("{context_path}{below}/charts/one-1.0.0.tgz"),
            format!("{context_path}{below}/"),
            format!("{context_path}/health"),
            "/api/nothing/of/ours.tgz".to_owned(),
            "/nothing".to_owned(),
        ] {
            let reply = server.get(&path).await;
            assert!(!reply.headers.contains_key(ALLOW_ORIGIN), "{path}: {reply}");
            assert_eq!(
                ask(&server, &path, "GET").await.header(ALLOW_ORIGIN),
                "",
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_browser_s_question_is_answered_for_reading_only() {
    let server = allowing("*").build().await;
    let reply = ask(&server, "/api/charts", "GET").await;
    insta::assert_snapshot!(reply, @"
    200
    access-control-allow-headers: authorization,x-chartroom-min-generation,x-request-id
    access-control-allow-methods: GET,HEAD
    access-control-allow-origin: *
    content-length: 0
    x-request-id: <…>
    ");
    // The answer is the same for any method: that the browser then does not send.
    let delete = ask(&server, "/api/charts/one/1.0.0", "DELETE").await;
    assert_eq!(delete.header("access-control-allow-methods"), "GET,HEAD");
    let list = server.get("/api/charts").await;
    assert_eq!(list.header(ALLOW_ORIGIN), "*");
    assert_eq!(
        list.header("access-control-expose-headers"),
        "x-chartroom-generation,x-chartroom-stale,x-request-id,retry-after"
    );
    assert_eq!(list.header("vary"), "");
}

#[tokio::test]
async fn nothing_is_allowed_unless_it_is_configured() {
    let server = TestServer::start().await;
    let list = server.get("/api/charts").await;
    assert!(!list.headers.contains_key(ALLOW_ORIGIN), "{list}");
    let question = ask(&server, "/api/charts", "GET").await;
    assert_eq!(question.status, 405);
    assert!(!question.headers.contains_key(ALLOW_ORIGIN), "{question}");
}
