//! Sub accounts, their billing contacts and price plans.

use axum::http::Method;
use end_to_end::{Fault, Stage};
use serde_json::{Value, json};
use shim_sandbox::SandboxConfig;

use crate::requests::{PAGE, ask, error, errors, has, one, success};

const ACCOUNT: &str = "id:s owner_id:s owner_email:s created_at:t";
const CONTACT: &str = "email:s first_name:s last_name:s phone_number:s address:s apt:s city:s \
                       state:s zip:s country:s";
const NEW: &str = "first_name=N last_name=W password=Analytical4Engine";
const BILLED: &str = "first_name=N last_name=W phone_number=5550100 address=A apt=2 city=X \
                      country=US state=CA zip=95113";

/// A stage on which plans can be bought, and the ids of the sub accounts by name.
async fn stage() -> (Stage, Value) {
    let on = "[options]\nplan_writes = true";
    let stage = Stage::with(SandboxConfig::default(), on).await;
    let accounts = success(&stage, "ma/account/list").await;
    (stage, accounts)
}

fn id<'a>(accounts: &'a Value, name: &str) -> &'a str {
    one(accounts, "subAccounts[]", "account_name", name)["id"]
        .as_str()
        .unwrap()
}

#[tokio::test]
async fn list_and_get_show_accounts() {
    let (stage, accounts) = stage().await;
    has(&accounts, "", &format!("{PAGE} subAccounts:a"));
    let listed = "id:s owner_email:s account_name:s account_type:s seats:n created_at:t";
    has(&accounts, "subAccounts[]", listed);
    let paid = one(&accounts, "subAccounts[]", "account_name", "Observatory");
    has(
        paid,
        "",
        "subscription_start_time:t subscription_end_time:t",
    );
    let second = success(&stage, "ma/account/list page_size=1 page_number=2").await;
    assert_eq!(second["subAccounts"], json!([accounts["subAccounts"][1]]));
    let account = success(
        &stage,
        &format!("ma/account/get account_id={}", id(&accounts, "Observatory")),
    )
    .await;
    has(&account, "", ACCOUNT);
    assert_eq!(account["owner_email"], paid["owner_email"]);
}

#[tokio::test]
async fn creates_and_deletes_accounts() {
    let (stage, _) = stage().await;
    let made = format!(
        "ma/account/create email=new@sub.example.com {NEW} enable_share_rc=true pay_mode=1"
    );
    let made = success(&stage, &made).await;
    has(&made, "", ACCOUNT);
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        success(&stage, &format!("ma/account/get account_id={id}")).await,
        made
    );

    let update = format!("ma/account/update account_id={id} enable_share_rc=false pay_mode=0");
    let updated = success(&stage, &update).await;
    has(&updated, "", "id:s updated_at:t");
    assert_eq!(updated["id"], id);
    success(&stage, &format!("ma/account/update account_id={id}")).await;

    let delete = format!("ma/account/delete account_id={id}");
    has(&success(&stage, &delete).await, "", "id:s deleted_at:t");
    let gone = format!("2001 This account does not exist or does not belong to you: {id}");
    assert_eq!(ask(&stage, &delete).await.error(), gone);
}

#[tokio::test]
async fn create_names_the_settings_that_a_free_account_cannot_have() {
    let (stage, _) = stage().await;
    let settings = "meeting_capacity=100 disable_cmr_reminder=true";
    let made = ask(
        &stage,
        &format!("ma/account/create email=new@sub.example.com {NEW} {settings}"),
    )
    .await;
    assert!(
        made.warns_of("meeting_capacity") && made.warns_of("disable_cmr_reminder"),
        "{made:?}"
    );
    has(&made.success(), "", ACCOUNT);
}

#[tokio::test]
async fn plan_get_shows_contact_and_plans() {
    let (stage, accounts) = stage().await;
    let plans = success(
        &stage,
        &format!(
            "ma/account/plan/get account_id={}",
            id(&accounts, "Observatory")
        ),
    )
    .await;
    has(&plans, "", CONTACT);
    has(&plans, "", "plan_recording:s");
    let plan = "type:s hosts:n";
    for path in [
        "plan_base",
        "plan_zoom_rooms",
        "plan_room_connector",
        "plan_large_meeting[]",
        "plan_webinar[]",
    ] {
        has(&plans, path, plan);
    }
    has(
        &plans,
        "plan_audio",
        "type:s tollfree_country:s premium_country:s ddi_numbers:n",
    );

    let none = ask(
        &stage,
        &format!(
            "ma/account/plan/get account_id={}",
            id(&accounts, "Small office")
        ),
    )
    .await;
    assert!(none.warns_of("city"), "v2 has no contact: {none:?}");
    assert_eq!(none.success(), json!({}));
}

#[tokio::test]
async fn billing_update_changes_the_contact() {
    let (stage, accounts) = stage().await;
    let id = id(&accounts, "Observatory");
    let updated = format!("ma/account/billing/update account_id={id} city=Boston");
    has(&success(&stage, &updated).await, "", "id:s updated_at:t");
    let plans = success(&stage, &format!("ma/account/plan/get account_id={id}")).await;
    assert_eq!(
        (&plans["city"], &plans["last_name"]),
        (&"Boston".into(), &"Mitchell".into())
    );
    success(
        &stage,
        &format!("ma/account/billing/update account_id={id}"),
    )
    .await;
}

#[tokio::test]
async fn plans_are_bought_added_and_changed() {
    let (stage, accounts) = stage().await;
    let id = id(&accounts, "Small office");
    let plans = async || success(&stage, &format!("ma/account/plan/get account_id={id}")).await;
    let base = r#"plan_base={"type":"monthly","hosts":10}"#;
    let webinar = r#"plan_webinar=[{"type":"webinar500_monthly","hosts":1}]"#;
    let audio = r#"plan_audio={"type":"toll_monthly","tollfree_country":"US"}"#;
    let all = format!("{base} {webinar} {audio} plan_recording=100GB_monthly");
    let bought = success(
        &stage,
        &format!("ma/account/plan/subscribe account_id={id} {BILLED} {all}"),
    )
    .await;
    has(&bought, "", CONTACT);
    has(&bought, "plan_base", "type:s hosts:n");
    has(&bought, "plan_webinar[]", "type:s hosts:n");
    has(&bought, "plan_audio", "type:s tollfree_country:s");
    assert_eq!(bought["email"], "small@sub.example.com", "the owner's");
    assert_eq!(plans().await, bought);

    let add = r#"plan={"type":"large100_monthly","hosts":2}"#;
    let added = success(
        &stage,
        &format!("ma/account/plan/add account_id={id} {add}"),
    )
    .await;
    has(&added, "", "id:s updated_at:t");
    for change in [
        "type=1 plan[type]=monthly plan[hosts]=20",
        r#"type=2 plan={"type":"webinar500_monthly","hosts":3}"#,
    ] {
        let change = format!("ma/account/plan/update account_id={id} {change}");
        has(&success(&stage, &change).await, "", "id:s updated_at:t");
    }
    let plans = plans().await;
    assert_eq!(plans["plan_base"]["hosts"], 20);
    assert_eq!(plans["plan_webinar"][0]["hosts"], 3);
    assert_eq!(
        plans["plan_large_meeting"],
        json!([{ "type": "large100_monthly", "hosts": 2 }])
    );
}

#[tokio::test]
async fn plans_cannot_be_bought_unless_the_site_allows_it() {
    let stage = Stage::start().await;
    for request in [
        format!("plan/subscribe account_id=x plan_base=monthly {BILLED}"),
        "plan/add account_id=x plan=x".to_owned(),
        "plan/update account_id=x type=1 plan=x".to_owned(),
    ] {
        let operation = request.split(' ').next().unwrap();
        let error = ask(&stage, &format!("ma/account/{request}")).await.error();
        let refused =
            format!("200 No permission: ma/account/{operation} is not allowed for this api key.");
        assert_eq!(error, refused);
    }
    assert_eq!(stage.wire().lines(), Vec::<String>::new());
}

#[tokio::test]
async fn rejects_invalid_requests() {
    let (stage, accounts) = stage().await;
    let (free, paid) = (id(&accounts, "Small office"), id(&accounts, "Observatory"));
    let own = id(&accounts, "Self payer");
    let plan = r#"plan={"type":"monthly","hosts":20}"#;
    let unknown = "2001 This account does not exist or does not belong to you: nothing";
    for request in [
        "get".to_owned(),
        "update".to_owned(),
        "update enable_share_rc=true".to_owned(),
        "update meeting_capacity=100".to_owned(),
        "delete".to_owned(),
        "billing/update".to_owned(),
        "billing/update city=x".to_owned(),
        "plan/get".to_owned(),
        format!("plan/subscribe plan_base=monthly {BILLED}"),
        format!("plan/add {plan}"),
        format!("plan/update type=1 {plan}"),
    ] {
        let request = format!("ma/account/{request} account_id=nothing");
        error(&stage, &request, unknown).await;
    }
    let pays_itself = "2100 This subaccount is on self pay mode.";
    errors(
        &stage,
        &format!(
            "
            ma/account/get => 300 Account_id is required.
            ma/account/get account_id=me => 2001 This account does not exist or does not belong to you: me
            ma/account/create {NEW} => 300 Email is required.
            ma/account/create email=small@sub.example.com {NEW} => 1005 User already in the account: small@sub.example.com
            ma/account/create email=x@sub.example.com first_name=N last_name=W password=short => 300 Invalid parameter: password
            ma/account/delete account_id={paid} => 2000 Cannot disassociate a paid account.
            ma/account/update account_id={free} meeting_capacity=100 => 200 Only available for paid accounts.
            ma/account/update account_id={paid} pay_mode=7 => 300 Invalid parameter: pay_mode
            ma/account/billing/update account_id={free} city=x => 200 Please subscribe a plan for this sub account first.
            ma/account/billing/update account_id={own} city=x => {pays_itself}
            ma/account/plan/subscribe account_id={own} plan_base=monthly {BILLED} => {pays_itself}
            ma/account/plan/subscribe account_id={paid} plan_base=monthly {BILLED} => 2100 Cannot add plan for the subaccount which is not free plan.
            ma/account/plan/subscribe account_id={free} plan_base=monthly => 300 First_name is required.
            ma/account/plan/update account_id={paid} type=3 plan=x => 300 Invalid parameter: type
            ma/account/plan/update account_id={paid} type=2 plan=x => 300 Invalid parameter: plan
            ma/account/plan/add account_id={paid} plan=webinar500_monthly => 2100 This subaccount already has the additional plan: webinar500_monthly.
            "
        ),
    )
    .await;
}

#[tokio::test]
async fn passes_on_v2_errors() {
    let (stage, accounts) = stage().await;
    let id = id(&accounts, "Observatory");
    let subscribe =
        format!("plan/subscribe account_id={id} plan_base=monthly email=x@example.com {BILLED}");
    for (request, method, code) in [
        (
            format!("create email=x@sub.example.com {NEW}"),
            Method::POST,
            1107,
        ),
        (
            format!("create email=x@sub.example.com {NEW}"),
            Method::POST,
            1111,
        ),
        (
            format!("update account_id={id} enable_share_rc=true"),
            Method::PATCH,
            2115,
        ),
        (subscribe.clone(), Method::POST, 2010),
        (subscribe.clone(), Method::POST, 3200),
        (subscribe, Method::POST, 10200),
        (
            format!("plan/add account_id={id} plan=x"),
            Method::POST,
            3211,
        ),
        (
            format!("plan/update account_id={id} type=1 plan=x"),
            Method::PUT,
            3261,
        ),
        (
            format!("billing/update account_id={id} city=x"),
            Method::PATCH,
            3201,
        ),
    ] {
        let said = Fault::Refused(400, json!({ "code": code, "message": "As v2 says it." }));
        stage.wire().fail_once(method, "", said);
        let error = ask(&stage, &format!("ma/account/{request}")).await.error();
        assert_eq!(error, format!("{code} As v2 says it."), "{request}");
    }
}
