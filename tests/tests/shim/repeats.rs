//! Duplicate requests, as sent by a widely copied PHP class, in sequence and in parallel.

use end_to_end::Stage;
use serde_json::json;

use crate::requests::success;

const EMAIL: &str = "twice@example.com";

#[tokio::test]
async fn repeated_create_makes_one_user() {
    let stage = Stage::start().await;
    for create in [
        "create",
        "autocreate",
        "autocreate2",
        "custcreate",
        "ssocreate",
    ] {
        let email = format!("{create}@example.com");
        let given = [
            ("email", email.as_str()),
            ("type", "2"),
            ("password", "Analytical4Engine"),
            ("dept", "x"),
        ];
        let operation = format!("user/{create}");
        stage.ask(&operation, &given).await.success();
        let again = stage.ask(&operation, &given).await.error();
        assert_eq!(again, format!("1005 User already in the account: {email}"));
    }
}

#[tokio::test]
async fn parallel_creates_make_one_user() {
    let stage = Stage::start().await;
    let given = [
        ("email", EMAIL),
        ("type", "2"),
        ("dept", "x"),
        ("disable_chat", "1"),
    ];
    let (one, other) = tokio::join!(
        stage.ask("user/custcreate", &given),
        stage.ask("user/custcreate", &given)
    );
    assert_ne!(one.is_joined, other.is_joined, "one of them made the calls");
    let (one, other) = (one.success(), other.success());
    assert_eq!(one["email"], EMAIL);
    assert_eq!(one, other);
    let page = success(&stage, "user/list page_size=300").await;
    let users = page["users"].as_array().unwrap();
    assert_eq!(
        users.iter().filter(|user| user["email"] == EMAIL).count(),
        1
    );
}

#[tokio::test]
async fn idempotent_operations_return_the_same() {
    let stage = Stage::start().await;
    let id = stage.id_of("george.boole@example.com").await;
    let whom = ("id", id.as_str());
    let grace = ("assistant_email", "grace.hopper@example.com");
    let requests: [(&str, &[(&str, &str)]); 8] = [
        (
            "user/update",
            &[whom, ("dept", "Logic"), ("disable_chat", "1")],
        ),
        ("user/deactivate", &[whom]),
        ("user/activate", &[whom]),
        ("user/revoketoken", &[whom]),
        ("user/update", &[whom, ("type", "2")]),
        ("user/assistant/set", &[whom, grace]),
        ("user/assistant/delete", &[whom, grace]),
        ("user/assistant/delete", &[whom]),
    ];
    for (operation, given) in requests {
        for _ in 0..2 {
            let answer = stage.ask(operation, given).await.success();
            assert_eq!(answer["id"], json!(id), "{operation}");
        }
    }
}
