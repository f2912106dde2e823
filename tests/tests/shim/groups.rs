//! Groups, IM groups and their members.

use axum::http::Method;
use end_to_end::{Fault, Stage};
use serde_json::json;
use shim_sandbox::SandboxConfig;

use crate::requests::{PAGE, ask, at, error, errors, has, one, success};

const GROUP: &str = "group_id:s account_id:s name:s total_members:n";
const SEARCH: &str =
    "type:s option_search_by_domain:b option_search_by_account:b option_search_by_ma_account:b";
const MEMBER: &str = "id:s email:s first_name:s last_name:s";

/// Groups and IM groups: prefix of their operations, and additional fields.
const KINDS: [(&str, &str); 2] = [("group", ""), ("im/group", SEARCH)];

#[tokio::test]
async fn creates_renames_and_deletes_groups() {
    let stage = Stage::start().await;
    for (group, more) in KINDS {
        let before = success(&stage, &format!("{group}/list")).await;
        has(&before, "", "total_records:n groups:a");
        has(&before, "groups[]", GROUP);
        has(&before, "groups[]", more);
        assert_eq!(before["total_records"], at(&before, "groups[]").len());

        let made = success(&stage, &format!("{group}/create name=Astronomers")).await;
        has(&made, "", &format!("{GROUP} {more}"));
        let id = made["group_id"].as_str().unwrap();
        assert_eq!(success(&stage, &format!("{group}/get id={id}")).await, made);

        let edited = success(&stage, &format!("{group}/edit id={id} name=Geometers")).await;
        has(&edited, "", &format!("{GROUP} {more}"));
        assert_eq!(edited["name"], "Geometers");
        assert_eq!(
            success(&stage, &format!("{group}/get id={id}")).await,
            edited
        );
        assert_eq!(
            success(&stage, &format!("{group}/edit id={id}")).await,
            edited
        );
        let after = success(&stage, &format!("{group}/list")).await;
        one(&after, "groups[]", "name", "Geometers");

        let deleted = success(&stage, &format!("{group}/delete id={id}")).await;
        has(&deleted, "", "id:s deleted_at:t deleted_count:n");
        assert_eq!(
            (&deleted["id"], &deleted["deleted_count"]),
            (&id.into(), &1.into())
        );
        assert_eq!(success(&stage, &format!("{group}/list")).await, before);
    }
}

#[tokio::test]
async fn adds_and_removes_members() {
    let stage = Stage::start().await;
    let ada = stage.id_of("ada.lovelace@example.com").await;
    let joan = stage.id_of("joan.clarke@example.com").await;
    for (group, _) in KINDS {
        let id = &success(&stage, &format!("{group}/create name=Astronomers")).await["group_id"];
        let id = id.as_str().unwrap();
        let add = format!("{group}/member/add id={id} member_ids={ada},joan.clarke@example.com,");
        let added = success(&stage, &add).await;
        has(&added, "", "id:s add_at:t add_count:n");
        assert_eq!((&added["id"], &added["add_count"]), (&id.into(), &2.into()));

        let list = format!("{group}/member/list id={id}");
        let members = success(&stage, &list).await;
        has(&members, "", &format!("{PAGE} members:a"));
        has(&members, "members[]", MEMBER);
        let ids: Vec<_> = at(&members, "members[]")
            .iter()
            .map(|member| &member["id"])
            .collect();
        assert_eq!(ids, [&ada, &joan]);
        let second = success(&stage, &format!("{list} page_size=1 page_number=2")).await;
        assert_eq!(second["members"], json!([members["members"][1]]));
        assert_eq!(
            (&second["page_count"], &second["total_records"]),
            (&2.into(), &2.into())
        );
        let shows = success(&stage, &format!("{group}/get id={id}")).await;
        assert_eq!(shows["total_members"], 2);

        let delete = format!("{group}/member/delete id={id} member_ids={ada}");
        let deleted = success(&stage, &delete).await;
        has(&deleted, "", "id:s deleted_at:t deleted_count:n");
        assert_eq!(deleted["deleted_count"], 1);
        // Removing a non-member succeeds.
        assert_eq!(success(&stage, &delete).await["deleted_count"], 0);
        assert_eq!(at(&success(&stage, &list).await, "members[]").len(), 1);
    }
}

#[tokio::test]
async fn members_are_added_in_batches() {
    let stage = Stage::start().await;
    let users = success(&stage, "user/list page_size=40").await;
    let ids: Vec<_> = at(&users, "users[]")
        .iter()
        .map(|user| user["id"].as_str().unwrap())
        .collect();
    for (group, batch) in [("group", 30), ("im/group", 10)] {
        let id = &success(&stage, &format!("{group}/create name=Everybody")).await["group_id"];
        let id = id.as_str().unwrap();
        stage.wire().take();
        let add = format!("{group}/member/add id={id} member_ids={}", ids.join(","));
        let added = success(&stage, &add).await;
        assert_eq!(added["add_count"], ids.len());
        assert_eq!(stage.wire().take().len(), ids.len().div_ceil(batch));
    }
}

#[tokio::test]
async fn returns_member_pictures_on_request() {
    let pictures = "[options]\nlist_pictures = true";
    let stage = Stage::with(SandboxConfig::default(), pictures).await;
    for (group, _) in KINDS {
        let groups = success(&stage, &format!("{group}/list")).await;
        let id = groups["groups"][0]["group_id"].as_str().unwrap();
        let members = success(&stage, &format!("{group}/member/list id={id}")).await;
        has(&members, "members[]", &format!("{MEMBER} pic_url:s"));
    }
}

#[tokio::test]
async fn types_and_searches_of_im_groups() {
    let stage = Stage::start().await;
    let given = "type=restricted option_search_by_domain=true option_search_by_ma=true";
    let made = success(&stage, &format!("im/group/create name=Chess {given}")).await;
    let of = |group: &serde_json::Value| {
        [
            "type",
            "option_search_by_domain",
            "option_search_by_account",
            "option_search_by_ma_account",
        ]
        .map(|name| group[name].clone())
    };
    assert_eq!(
        of(&made),
        [json!("Restricted"), true.into(), false.into(), true.into()]
    );
    let id = made["group_id"].as_str().unwrap();
    let edit = format!("im/group/edit id={id} type=Shared option_search_by_ma_account=false");
    let edited = success(&stage, &edit).await;
    assert_eq!(
        of(&edited),
        [json!("Shared"), true.into(), false.into(), false.into()]
    );
    assert_eq!(
        success(&stage, &format!("im/group/get id={id}")).await,
        edited
    );
}

#[tokio::test]
async fn rejects_invalid_requests() {
    let stage = Stage::start().await;
    for (group, noun) in [("group", "Group"), ("im/group", "IM Group")] {
        let groups = success(&stage, &format!("{group}/list")).await;
        let known = &groups["groups"][0];
        let id = known["group_id"].as_str().unwrap();
        let name = known["name"].as_str().unwrap();
        success(&stage, &format!("{group}/create name=Taken")).await;
        let unknown = format!("4130 {noun} not exist: nothing");
        for request in [
            "get id=nothing",
            "edit id=nothing name=x",
            "edit id=nothing",
            "delete id=nothing",
            "member/list id=nothing",
            "member/add id=nothing member_ids=x",
            "member/delete id=nothing member_ids=x",
        ] {
            error(&stage, &format!("{group}/{request}"), &unknown).await;
        }
        errors(
            &stage,
            &format!(
                "
                {group}/get => 300 Id is required.
                {group}/create name= => 300 Name is required.
                {group}/member/add id={id} => 300 Member_ids is required.
                {group}/create name={name} => 4132 Group name {name} is already in use.
                {group}/edit id={id} name=Taken => 4132 Group name Taken is already in use.
                {group}/member/add id={id} member_ids=me => 300 Invalid parameter: member_ids
                "
            ),
        )
        .await;
    }
    let long = "x".repeat(129);
    errors(
        &stage,
        &format!(
            "
            im/group/create name=x type=secret => 300 Invalid parameter: type
            group/create name={long} => 300 Invalid parameter: name
            "
        ),
    )
    .await;
}

#[tokio::test]
async fn passes_on_v2_errors() {
    let stage = Stage::start().await;
    let gone = "IM Group has been replaced";
    for (request, method, code, text, expected) in [
        (
            "im/group/list",
            Method::GET,
            4137,
            gone,
            "4137 IM Group has been replaced",
        ),
        (
            "im/group/create name=x",
            Method::POST,
            4137,
            gone,
            "4137 IM Group has been replaced",
        ),
        (
            "im/group/member/list id=x",
            Method::GET,
            4137,
            gone,
            "4137 IM Group has been replaced",
        ),
        (
            "group/get id=x",
            Method::GET,
            1010,
            "No.",
            "1010 Group not belong to the account",
        ),
        (
            "group/create name=x",
            Method::POST,
            200,
            "Too many.",
            "200 Too many.",
        ),
        (
            "group/member/add id=x member_ids=u",
            Method::POST,
            1001,
            "User does not exist: u.",
            "1001 User not exist: u",
        ),
        (
            "group/member/delete id=x member_ids=u",
            Method::DELETE,
            1001,
            "User does not exist: u.",
            "1001 User not exist: u",
        ),
    ] {
        let said = Fault::Refused(400, json!({ "code": code, "message": text }));
        stage.wire().fail_once(method, "", said);
        assert_eq!(ask(&stage, request).await.error(), expected, "{request}");
    }
}

#[tokio::test]
async fn contact_groups_replace_im_groups_if_configured() {
    let gone = SandboxConfig {
        im_groups: false,
        ..SandboxConfig::default()
    };
    let stage = Stage::with(gone, "[options]\nim_groups = \"contact\"\n").await;
    let ada = stage.id_of("ada.lovelace@example.com").await;
    let alan = stage.id_of("alan.turing@example.com").await;
    let listed = success(&stage, "im/group/list").await;
    has(&listed, "groups[]", &format!("{GROUP} type:s"));
    let seeded = one(&listed, "groups[]", "name", "Programmers");
    assert_eq!(
        (&seeded["type"], &seeded["total_members"]),
        (&json!("Normal"), &json!(2))
    );

    let answer = ask(
        &stage,
        "im/group/create name=Chess type=shared option_search_by_domain=true",
    )
    .await;
    assert!(answer.warns_of("option_search_by_domain"));
    let made = answer.success();
    has(&made, "", &format!("{GROUP} type:s"));
    assert_eq!(made["type"], "Shared");
    let id = made["group_id"].as_str().unwrap();
    let edited = success(
        &stage,
        &format!("im/group/edit id={id} name=Go type=Restricted"),
    )
    .await;
    assert_eq!(
        (&edited["name"], &edited["type"]),
        (&json!("Go"), &json!("Restricted"))
    );

    let added = format!("im/group/member/add id={id} member_ids={ada},{alan}");
    assert_eq!(success(&stage, &added).await["add_count"], 2);
    let members = success(&stage, &format!("im/group/member/list id={id}")).await;
    has(&members, "", PAGE);
    has(&members, "members[]", MEMBER);
    one(&members, "members[]", "email", "alan.turing@example.com");
    let second = format!("im/group/member/list id={id} page_size=1 page_number=2");
    let second = success(&stage, &second).await;
    assert_eq!(at(&second, "members[]").len(), 1);

    let removed = format!("im/group/member/delete id={id} member_ids={alan},{alan}");
    assert_eq!(success(&stage, &removed).await["deleted_count"], 1);
    assert_eq!(success(&stage, &removed).await["deleted_count"], 0);
    let got = success(&stage, &format!("im/group/get id={id}")).await;
    assert_eq!(got["total_members"], 1);
    success(&stage, &format!("im/group/delete id={id}")).await;
    let get = format!("im/group/get id={id}");
    let unknown = format!("4130 IM Group not exist: {id}");
    error(&stage, &get, &unknown).await;
}
