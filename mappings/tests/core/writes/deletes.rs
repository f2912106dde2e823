//! Deletes of pending, invited and API users.

use super::*;

#[test]
fn a_pending_user_is_disassociated_and_another_deleted() {
    let v2 = |status: u16, body: serde_json::Value| {
        move |request: &V2Request| match request.method.is_read() {
            true => Outcome::Answered {
                status,
                body: Some(body.clone().into()),
            },
            false => success(request),
        }
    };
    let delete = |v2: &dyn Fn(&V2Request) -> Outcome| {
        run("user/permanentdelete", &[("id", "x")], v2).unwrap()
    };
    let pending = delete(&v2(
        200,
        json!({ "id": "x", "email": "a@b", "status": "pending" }),
    ));
    assert_eq!(pending.requests()[1], "DELETE /users/x?action=disassociate");
    let unread = delete(&v2(429, json!({})));
    assert_eq!(unread.requests()[1], "DELETE /users/x?action=delete");
    let gone = delete(&v2(404, json!({ "code": 1001, "message": "gone" })));
    assert_eq!(
        (gone.requests().len(), gone.error().as_str()),
        (1, "1001 User not exist: x")
    );
}

#[test]
fn type_1_deletes_invitations_only() {
    let delete = |status: serde_json::Value| {
        let v2 = move |request: &V2Request| match request.method.is_read() {
            true => ok(json!({ "id": "x", "email": "a@b", "status": status })),
            false => success(request),
        };
        run("user/delete", &[("id", "x"), ("type", "1")], v2).unwrap()
    };
    let pending = delete(json!("pending"));
    assert_eq!(pending.requests()[1], "DELETE /users/x?action=disassociate");
    for accepted in ["active", "inactive"] {
        let run = delete(json!(accepted));
        assert_eq!(run.error(), "1120 Invite not exist");
        assert_eq!(run.requests(), ["GET /users/x"]);
    }
    assert_eq!(
        delete(json!(null)).error(),
        "500 Zoom answered with something that is not its API."
    );
}

fn delete_api_user(choice: &str, strict: bool) -> Run {
    let v2 = |request: &V2Request| match request.query.first() {
        Some((_, action)) if action == "disassociate" => {
            error(400, 300, "Unable to unlink API user(s).")
        }
        _ => success(request),
    };
    let site = mappings::Site {
        strict,
        ..site_with_option("delete_api_users", choice)
    };
    run_at(&site, "user/delete", &[("id", "x")], v2).unwrap()
}

#[test]
fn option_rejects_deletion_of_api_users() {
    let deleted = delete_api_user("delete", false);
    assert_eq!(
        deleted.requests(),
        [
            "DELETE /users/x?action=disassociate",
            "DELETE /users/x?action=delete"
        ]
    );
    assert_eq!(deleted.warned(), ["deleted_at"]);
    assert_eq!(deleted.answer()["id"], "x");

    let refused = delete_api_user("refuse", false);
    assert_eq!(refused.requests().len(), 1);
    assert!(refused.error().contains("user/permanentdelete"));

    let strict = delete_api_user("delete", true);
    assert_eq!(strict.requests().len(), 1, "nothing is deleted");
    assert!(
        strict
            .error()
            .starts_with("300 Invalid parameter: deleted_at (strict")
    );
}

#[test]
fn option_returns_existing_api_user_on_create() {
    let create = |operation: &str, choice: &str, login_type: i64| {
        let v2 = move |request: &V2Request| match (request.method.as_str(), &*request.template) {
            ("GET", "/users/{userId}") => ok(json!({
                "id": "kdc1", "email": "new@example.com", "type": 2, "login_types": [login_type],
            })),
            _ => creating(0)(request),
        };
        let site = site_with_option("custcreate_existing", choice);
        let given = [NEW, &[("password", "Analytical4Engine")]].concat();
        run_at(&site, operation, &given, v2).unwrap()
    };
    let taken = "1005 User already in the account: new@example.com";
    let existing = create("user/custcreate", "answer", 99);
    let writes = existing.requests().into_iter();
    assert_eq!(
        writes.filter(|line| !line.starts_with("GET")).count(),
        1,
        "nothing is changed"
    );
    assert_eq!(existing.answer()["id"], "kdc1");
    for (operation, choice, login_type) in [
        ("user/custcreate", "answer", 100),
        ("user/custcreate", "refuse", 99),
        ("user/autocreate", "answer", 99),
    ] {
        let run = create(operation, choice, login_type);
        assert_eq!(run.error(), taken, "{operation} {choice} {login_type}");
    }
}
