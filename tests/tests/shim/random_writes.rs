//! All served writes, each on its own object, with the effects of their calls in v2.

use end_to_end::Stage;

use crate::{
    requests::success,
    write_effects::{Effect, Write, is, listed, made, write},
};

const ADA: &str = "ada.lovelace@example.com";
const MARY: &str = "mary.jackson@example.com";
const SOON: &str = "start_time=2031-05-01T09:30:00Z duration=30";

/// All kinds of writes.
pub(crate) async fn writes(stage: &Stage) -> Vec<Write> {
    let mut users = plain_users(stage).await.into_iter();
    let mut writes = creates(stage).await;
    writes.extend(changes_of_users(stage, &mut users).await);
    writes.extend(meetings_and_webinars(stage).await);
    writes.extend(groups(stage, &mut users).await);
    writes.extend(devices(stage).await);
    writes.extend(recordings(stage).await);
    writes.extend(accounts(stage).await);
    writes
}

async fn creates(stage: &Stage) -> Vec<Write> {
    let ada = stage.v2_user(ADA).await;
    let first = |list: &str| ada[list][0].as_str().unwrap().to_owned();
    let (group, im) = (first("group_ids"), first("im_group_ids"));
    let all =
        format!("type=2 password=Analytical4Engine dept=R&D disable_chat=true group_id={group}");
    let mut writes = Vec::new();
    for kind in [
        "custcreate",
        "autocreate",
        "autocreate2",
        "ssocreate",
        "create",
    ] {
        for number in 0..3 {
            let email = format!("{kind}-{number}@example.com");
            let user = format!("/users/{email}");
            let chatters = format!("/im/groups/{im}/members?page_size=300");
            let mut effects = vec![("create", is(&user, "/email", email.as_str()))];
            // v2 does not add pending users to chat groups.
            if kind != "create" {
                let chats = listed(&chatters, ("/members", "email"), &email, true);
                effects.push(("im_group", chats));
            }
            let in_group = is(&user, "/group_ids/0", group.as_str());
            effects.push(match kind {
                "create" => ("profile", in_group),
                _ => ("group", in_group),
            });
            if !["ssocreate", "create"].contains(&kind) {
                let settings = format!("{user}/settings");
                effects.push(("settings", is(settings, "/in_meeting/chat", false)));
                effects.push(("profile", is(&user, "/dept", "R&D")));
            }
            let request = format!("user/{kind} email={email} {all} imgroup_id={im}");
            writes.push(write(&request, effects));
        }
    }
    writes
}

async fn changes_of_users(stage: &Stage, users: &mut impl Iterator<Item = String>) -> Vec<Write> {
    let mut writes = Vec::new();
    for number in 0..6 {
        let id = users.next().unwrap();
        let user = format!("/users/{id}");
        let settings = format!("{user}/settings");
        writes.push(write(
            &format!("user/update id={id} dept=Dept~{number} disable_private_chat=true"),
            [
                ("profile", is(user, "/dept", format!("Dept {number}"))),
                ("settings", is(settings, "/in_meeting/private_chat", false)),
            ],
        ));
    }
    for _ in 0..3 {
        let mut about = |operation: &str, call, effect: &dyn Fn(String) -> Effect| {
            let id = users.next().unwrap();
            let request = format!("{operation} id={id}");
            writes.push(write(&request, [(call, effect(format!("/users/{id}")))]));
        };
        about("user/deactivate", "status", &|user| {
            is(user, "/status", "inactive")
        });
        about("user/delete", "delete", &|user| is(user, "/code", 1001));
        about("user/permanentdelete", "delete", &|user| {
            is(user, "/code", 1001)
        });
        let assistants = ("/assistants", "email");
        let path = |user: String| user + "/assistants";
        let (id, other) = (users.next().unwrap(), users.next().unwrap());
        success(
            stage,
            &format!("user/assistant/set id={other} assistant_email={ADA}"),
        )
        .await;
        let sets = listed(&path(format!("/users/{id}")), assistants, ADA, true);
        let takes = listed(&path(format!("/users/{other}")), assistants, ADA, false);
        writes.extend([
            write(
                &format!("user/assistant/set id={id} assistant_email={ADA}"),
                [("add", sets)],
            ),
            write(
                &format!("user/assistant/delete id={other} assistant_email={ADA}"),
                [("delete_one", takes)],
            ),
        ]);
        let id = users.next().unwrap();
        success(stage, &format!("user/deactivate id={id}")).await;
        let active = is(format!("/users/{id}"), "/status", "active");
        writes.push(write(
            &format!("user/activate id={id}"),
            [("status", active)],
        ));
    }
    // Not visible in v2; only checked for duplicates.
    let id = users.next().unwrap();
    writes.extend([
        write(
            &format!("user/updatepassword id={id} password=Difference5Engine"),
            [],
        ),
        write(&format!("user/revoketoken id={id}"), []),
    ]);
    writes
}

async fn meetings_and_webinars(stage: &Stage) -> Vec<Write> {
    let mut writes = Vec::new();
    for (area, host, kind) in [("meeting", ADA, "type=2"), ("webinar", MARY, "type=5")] {
        for number in 0..3 {
            let create = format!("{area}/create host_id={host} {kind} topic=First {SOON}");
            let (changed, ended, deleted) = (
                made(stage, &create, "/id").await,
                made(stage, &create, "/id").await,
                made(stage, &create, "/id").await,
            );
            stage
                .steer(&format!("/sandbox/{area}s/{ended}/start"))
                .await;
            let path = |id: &str| format!("/{area}s/{id}");
            let topic = format!("Other {number}");
            writes.extend([
                write(
                    &format!("{area}/update id={changed} host_id={host} topic=Other~{number}"),
                    [("update", is(path(&changed), "/topic", topic))],
                ),
                write(
                    &format!("{area}/delete id={deleted} host_id={host}"),
                    [("delete", is(path(&deleted), "/code", 3001))],
                ),
                write(&format!("{area}/end id={ended} host_id={host}"), []),
            ]);
            let topic = format!("New {area} {number}");
            let path = format!("/users/{host}/{area}s?page_size=300");
            let list = if area == "meeting" {
                "/meetings"
            } else {
                "/webinars"
            };
            writes.push(write(
                &format!("{area}/create host_id={host} {kind} topic=New~{area}~{number} {SOON}"),
                [("create", listed(&path, (list, "topic"), &topic, true))],
            ));
        }
    }
    writes.extend(registrants(stage).await);
    writes
}

async fn registrants(stage: &Stage) -> Vec<Write> {
    let mut writes = Vec::new();
    let open =
        format!("meeting/create host_id={ADA} type=2 topic=Open {SOON} option_registration=true");
    let meeting = made(stage, &open, "/id").await;
    let asked = format!("webinar/create host_id={MARY} type=5 topic=Asked {SOON} approval_type=1");
    let webinar = made(stage, &asked, "/id").await;
    let path =
        |status: &str| format!("/webinars/{webinar}/registrants?page_size=300&status={status}");
    for number in 0..3 {
        let person = format!("email=new{number}@example.net first_name=X last_name=Y");
        // v2 shows the registrants of a meeting only in its dashboard.
        writes.push(write(
            &format!("meeting/register id={meeting} {person}"),
            [],
        ));
        let email = format!("new{number}@example.net");
        let waits = listed(&path("pending"), ("/registrants", "email"), &email, true);
        writes.push(write(
            &format!("webinar/register id={webinar} {person}"),
            [("register", waits)],
        ));
        let mut ids = Vec::new();
        for other in 0..2 {
            let person = format!("email=old{number}{other}@example.net first_name=X last_name=Y");
            let register = format!("webinar/register id={webinar} {person}");
            ids.push(made(stage, &register, "/registrant_id").await);
        }
        let of = format!("id={webinar} host_id={MARY}");
        let (approved, cancelled) = (&ids[0], &ids[1]);
        let in_list = ("/registrants", "id");
        writes.extend([
            write(
                &format!("webinar/registrants/approve {of} registrant_ids={approved}"),
                [(
                    "approve",
                    listed(&path("approved"), in_list, approved, true),
                )],
            ),
            write(
                &format!("webinar/registration/cancel {of} registrant_ids={cancelled}"),
                [(
                    "cancel",
                    listed(&path("pending"), in_list, cancelled, false),
                )],
            ),
        ]);
    }
    writes
}

async fn groups(stage: &Stage, users: &mut impl Iterator<Item = String>) -> Vec<Write> {
    let mut writes = Vec::new();
    // v2 accepts 30 or 10 members per call.
    let batches: Vec<_> = users.take(35).collect();
    let batches = batches.join(",");
    for area in ["group", "im/group"] {
        let path = format!("/{area}s");
        for number in 0..3 {
            let create = |name: &str| format!("{area}/create name={name}{number}");
            let edited = made(stage, &create("Edited"), "/group_id").await;
            let deleted = made(stage, &create("Deleted"), "/group_id").await;
            let joined = made(stage, &create("Joined"), "/group_id").await;
            let left = made(stage, &create("Left"), "/group_id").await;
            success(
                stage,
                &format!("{area}/member/add id={left} member_ids={ADA},{MARY}"),
            )
            .await;
            let members = |id: &str| format!("{path}/{id}/members?page_size=300");
            let (ada, mary) = (stage.id_of(ADA).await, stage.id_of(MARY).await);
            let both = format!("{ada},{mary}");
            writes.extend([
                write(
                    &create("New"),
                    [(
                        "create",
                        listed(&path, ("/groups", "name"), &format!("New{number}"), true),
                    )],
                ),
                write(
                    &format!("{area}/edit id={edited} name=Other{number}"),
                    [(
                        "update",
                        is(
                            format!("{path}/{edited}"),
                            "/name",
                            format!("Other{number}"),
                        ),
                    )],
                ),
                write(
                    &format!("{area}/delete id={deleted}"),
                    [("delete", is(format!("{path}/{deleted}"), "/code", 4130))],
                ),
                write(
                    &format!("{area}/member/add id={joined} member_ids={batches}"),
                    [(
                        "add",
                        listed(&members(&joined), ("/members", "id"), &batches, true),
                    )],
                ),
                write(
                    &format!("{area}/member/delete id={left} member_ids={both}"),
                    [(
                        "delete",
                        listed(&members(&left), ("/members", "id"), &both, false),
                    )],
                ),
            ]);
        }
    }
    writes
}

async fn devices(stage: &Stage) -> Vec<Write> {
    let mut writes = Vec::new();
    let path = "/h323/devices?page_size=300";
    for number in 0..3 {
        let create =
            |name: &str| format!("h323/device/create name={name}{number} ip=192.0.2.{number}");
        let changed = made(stage, &create("Changed"), "/id").await;
        let deleted = made(stage, &create("Deleted"), "/id").await;
        let named = |name: String| listed(path, ("/devices", "name"), &name, true);
        writes.extend([
            write(&create("New"), [("create", named(format!("New{number}")))]),
            write(
                &format!("h323/device/update id={changed} name=Other{number}"),
                [("update", named(format!("Other{number}")))],
            ),
            write(
                &format!("h323/device/delete id={deleted}"),
                [("delete", listed(path, ("/devices", "id"), &deleted, false))],
            ),
        ]);
    }
    writes
}

async fn recordings(stage: &Stage) -> Vec<Write> {
    let grace = "recording/list host_id=grace.hopper@example.com page_size=100";
    let grace = success(stage, grace).await;
    let uuids = grace["meetings"].as_array().unwrap().iter();
    let uuids = uuids.map(|meeting| meeting["uuid"].as_str().unwrap());
    let plain = uuids.filter(|uuid| !uuid.contains(['/', '+']));
    let mut writes: Vec<_> = plain
        .take(4)
        .map(|uuid| {
            write(
                &format!("recording/delete meeting_id={uuid}"),
                [(
                    "delete_all",
                    is(format!("/meetings/{uuid}/recordings"), "/code", 3301),
                )],
            )
        })
        .collect();
    let ada = success(stage, &format!("recording/list host_id={ADA}")).await;
    let meetings = ada["meetings"].as_array().unwrap().iter();
    let two = meetings.filter(|meeting| meeting["recording_count"] == 2);
    for meeting in two.take(1) {
        let number = &meeting["meeting_number"];
        let file = meeting["recording_files"][0]["id"].as_str().unwrap();
        let path = format!("/meetings/{number}/recordings");
        let gone = listed(&path, ("/recording_files", "id"), file, false);
        let uuid = meeting["uuid"].as_str().unwrap();
        writes.push(write(
            &format!("recording/delete meeting_id={uuid} file_id={file}"),
            [("delete_one", gone)],
        ));
    }
    writes
}

async fn accounts(stage: &Stage) -> Vec<Write> {
    let mut writes = Vec::new();
    let person = "first_name=N last_name=W password=Analytical4Engine";
    let billed = "first_name=N last_name=W phone_number=5550100 address=A city=X country=US \
                  state=CA zip=95113 plan_base[type]=monthly plan_base[hosts]=10";
    for number in 0..3 {
        let create =
            |name: &str| format!("ma/account/create email={name}{number}@sub.example.com {person}");
        let [changed, deleted, buys, paid] = ["changed", "deleted", "buys", "paid"];
        let changed = made(stage, &create(changed), "/id").await;
        let deleted = made(stage, &create(deleted), "/id").await;
        let buys = made(stage, &create(buys), "/id").await;
        let paid = made(stage, &create(paid), "/id").await;
        success(
            stage,
            &format!("ma/account/plan/subscribe account_id={paid} {billed}"),
        )
        .await;
        let path = |id: &str| format!("/accounts/{id}");
        let plans = |id: &str| format!("/accounts/{id}/plans");
        let email = format!("new{number}@sub.example.com");
        let made = listed(
            "/accounts?page_size=300",
            ("/accounts", "owner_email"),
            &email,
            true,
        );
        let contact = is(format!("/accounts/{paid}/billing"), "/city", "Boston");
        let large = r#"plan={"type":"large100_monthly","hosts":2}"#;
        let large_is_there = listed(
            &plans(&paid),
            ("/plan_large_meeting", "type"),
            "large100_monthly",
            true,
        );
        writes.extend([
            write(&create("new"), [("create", made)]),
            write(
                &format!("ma/account/update account_id={changed} enable_share_rc=true"),
                [("options", is(path(&changed), "/options/share_rc", true))],
            ),
            write(
                &format!("ma/account/delete account_id={deleted}"),
                [("delete", is(path(&deleted), "/code", 2001))],
            ),
            write(
                &format!("ma/account/plan/subscribe account_id={buys} {billed}"),
                [("subscribe", is(plans(&buys), "/plan_base/type", "monthly"))],
            ),
            write(
                &format!("ma/account/billing/update account_id={paid} city=Boston"),
                [("billing", contact)],
            ),
            write(
                &format!("ma/account/plan/add account_id={paid} {large}"),
                [("add", large_is_there)],
            ),
            write(
                &format!(
                    "ma/account/plan/update account_id={paid} type=1 plan[type]=monthly plan[hosts]=20"
                ),
                [("base", is(plans(&paid), "/plan_base/hosts", 20))],
            ),
        ]);
    }
    writes
}

/// Licensed users that no other test uses.
async fn plain_users(stage: &Stage) -> Vec<String> {
    let page = stage.v2("/users?page_size=300").await;
    let users = page["users"].as_array().unwrap().iter();
    let plain = users.filter(|user| user["type"] == 2 && user["role_id"] == "2");
    let named = plain.filter(|user| {
        let email = user["email"].as_str().unwrap();
        !email.starts_with("ada.")
            && !email.starts_with("mary.")
            && !email.contains("managed")
            && !email.contains("create")
    });
    named
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect()
}
