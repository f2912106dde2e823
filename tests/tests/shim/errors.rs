//! Documented and observed v1 errors that v2 can cause: code and message.

use end_to_end::Stage;
use shim_sandbox::{LimitWording, SandboxConfig};

use crate::requests::{ask, error, errors};

const ADA: &str = "ada.lovelace@example.com";
const OWNER: &str = "owner@example.com";
const BASIC: &str = "alan.turing@example.com";
const MANAGED: &str = "konrad.zuse@managed.example.com";
const API_USER: &str = "john.vonneumann@example.com";
const SSO_USER: &str = "katherine.johnson@example.com";
const INACTIVE: &str = "evariste.galois@example.com";
const EXPIRED: &str = "expired@example.com";
const PASSWORD: &str = "Analytical4Engine";

async fn check_account(account: SandboxConfig, cases: &str) {
    errors(&Stage::with(account, "").await, cases).await;
}

const CREATES: [&str; 5] = [
    "create",
    "autocreate",
    "autocreate2",
    "custcreate",
    "ssocreate",
];

/// Calls each create with this address and type.
async fn check_creates(account: SandboxConfig, email: &str, kind: &str, expected: &str) {
    let stage = Stage::with(account, "").await;
    for create in CREATES {
        let request = format!("user/{create} email={email} type={kind} password={PASSWORD}");
        error(&stage, &request, expected).await;
    }
}

#[tokio::test]
async fn rejects_missing_parameters() {
    let stage = Stage::start().await;
    errors(
        &stage,
        "
            user/create type=1 => 300 Email is required.
            user/create email=a@example.com => 300 Type is required.
            user/autocreate email=a@example.com type=1 => 300 Password is required.
            user/autocreate2 email=a@example.com type=1 => 300 Password is required.
            user/custcreate => 300 Email is required.
            user/ssocreate email= type=1 => 300 Email is required.
            user/update dept=x => 300 Id is required.
            user/get => 300 Id is required.
            user/getbyemail login_type=100 => 300 Email is required.
            user/activate => 300 Id is required.
            user/deactivate => 300 Id is required.
            user/delete type=0 => 300 Id is required.
            user/permanentdelete => 300 Id or email is required.
            user/revoketoken => 300 Id or email is required.
            user/updatepassword id=x => 300 Password or pic_file is required.
            user/uploadpicture id=x => 300 Pic_file is required.
            user/checkemail => 300 Email is required.
            user/checkzpk => 300 Zpk is required.
            user/assistant/set assistant_email=x => 300 Id or host_email is required.
            user/assistant/set id=x => 300 Assistant_email is required.
            user/assistant/delete => 300 Id or host_email is required.
            user/scheduleforhost/list => 300 Id or host_email is required.
            ",
    )
    .await;
}

#[tokio::test]
async fn rejects_malformed_parameters() {
    let stage = Stage::start().await;
    errors(
        &stage,
        "
            user/list page_number=x => 300 Invalid parameter: page_number
            user/list page_size=x => 300 Invalid parameter: page_size
            user/pending page_number=x => 300 Invalid parameter: page_number
            user/getbyemail email=a login_type=5 => 300 Invalid parameter: login_type
            user/create email=a@example.com type=7 => 300 Invalid parameter: type
            user/create email=nobody type=1 => 300 Invalid parameter: email
            user/update id=x disable_chat=2 => 300 Invalid parameter: disable_chat
            user/update id=ada.lovelace@example.com webinar_capacity=7 => 300 Invalid parameter: webinar_capacity
            user/delete id=x type=2 => 300 Invalid parameter: type
            user/checkzpk zpk=abc => 300 Invalid parameter: zpk
            ",
    )
    .await;
}

#[tokio::test]
async fn rejects_unknown_users() {
    let stage = Stage::start().await;
    for operation in [
        "user/get",
        "user/update",
        "user/update dept=x",
        "user/update disable_chat=1",
        "user/activate",
        "user/deactivate",
        "user/delete",
        "user/permanentdelete",
        "user/revoketoken",
        "user/assistant/set assistant_email=ada.lovelace@example.com",
        "user/assistant/delete",
        "user/assistant/delete assistant_email=ada.lovelace@example.com",
        "user/scheduleforhost/list",
        "user/updatepassword password=Analytical4Engine",
        "user/uploadpicture pic_file=x",
    ] {
        let request = match operation.split_once(' ') {
            Some((operation, rest)) => format!("{operation} id=nobody {rest}"),
            None => format!("{operation} id=nobody"),
        };
        error(&stage, &request, "1001 User not exist: nobody").await;
    }
    errors(
        &stage,
        "
            user/getbyemail email=x@example.com => 1001 User not exist: x@example.com
            user/permanentdelete email=x@example.com => 1001 User not exist: x@example.com
            user/revoketoken email=x@example.com => 1001 User not exist: x@example.com
            user/assistant/delete host_email=x@example.com => 1001 User not exist: x@example.com
            ",
    )
    .await;
}

#[tokio::test]
async fn rejects_other_login_types() {
    let stage = Stage::start().await;
    for (email, own) in [(ADA, "100"), (SSO_USER, "101"), (API_USER, "99")] {
        for login_type in ["0", "1", "99", "100", "101"] {
            let given = [("email", email), ("login_type", login_type)];
            let answer = stage.ask("user/getbyemail", &given).await;
            if login_type == own {
                assert_eq!(answer.success()["email"], email);
            } else {
                assert_eq!(answer.error(), format!("1001 User not exist: {email}"));
            }
        }
    }
}

#[tokio::test]
async fn rejects_expired_invitations() {
    let stage = Stage::start().await;
    for operation in [
        "user/get",
        "user/update dept=x",
        "user/activate",
        "user/delete",
        "user/permanentdelete",
    ] {
        let (operation, rest) = operation.split_once(' ').unwrap_or((operation, ""));
        let request = format!("{operation} id={EXPIRED} {rest}");
        error(&stage, &request, "1120 Invite not exist").await;
    }
    let request = format!("user/getbyemail email={EXPIRED}");
    error(&stage, &request, "1120 Invite not exist").await;
}

#[tokio::test]
async fn rejects_addresses() {
    let account = SandboxConfig::default;
    check_creates(
        account(),
        ADA,
        "1",
        "1005 User already in the account: ada.lovelace@example.com",
    )
    .await;
    let elsewhere = "1009 The user elsewhere@example.net already holds an active account.";
    check_creates(account(), "elsewhere@example.net", "1", elsewhere).await;
    check_creates(
        account(),
        "x@blocked.example.com",
        "1",
        "1107 Email domain is blocked",
    )
    .await;
    let limited = SandboxConfig {
        limited_domains: vec!["example.com".to_owned()],
        ..account()
    };
    let expected = "1116 Email address x@example.org doesn't match limited domains: example.com";
    check_creates(limited, "x@example.org", "1", expected).await;
}

#[tokio::test]
async fn rejects_creates_without_free_licences() {
    for (wording, paid_code, basic_code) in [
        (LimitWording::Plain, "2034", "2033"),
        (LimitWording::WithMaximum, "3412", "3412"),
    ] {
        let account = SandboxConfig {
            max_paid_users: Some(0),
            max_basic_users: Some(0),
            limit_wording: wording,
            ..SandboxConfig::default()
        };
        let stage = Stage::with(account, "").await;
        // v1's code with v2's messages.
        for create in CREATES {
            for kind in ["1", "2"] {
                let given = [
                    ("email", "x@example.com"),
                    ("type", kind),
                    ("password", PASSWORD),
                ];
                let error = stage.ask(&format!("user/{create}"), &given).await.error();
                assert!(
                    error.starts_with("200 Your request to add a"),
                    "{create}: {error}"
                );
            }
        }
        for (id, kind) in [(BASIC, "2"), (ADA, "1")] {
            let error = ask(&stage, &format!("user/update id={id} type={kind}"))
                .await
                .error();
            assert!(error.starts_with("200 Your request to convert"), "{error}");
        }
        let error = ask(&stage, &format!("user/activate id={INACTIVE}"))
            .await
            .error();
        assert!(
            error.starts_with("200 "),
            "{paid_code} {basic_code}: {error}"
        );
    }
}

#[tokio::test]
async fn rejects_disabled_creates() {
    let account = SandboxConfig {
        sso: false,
        ..SandboxConfig::default()
    };
    let expected = "2002 Only available for Enabled Pre-provisioning SSO Partners";
    check_account(
        account,
        &format!(
            "
            user/ssocreate email=x@example.com type=1 => {expected}
            "
        ),
    )
    .await;
    check_account(
        SandboxConfig::default(),
        "
            user/autocreate email=x@example.com type=1 password=short => 300 Invalid parameter: password
            user/autocreate2 email=x@example.com type=1 password=aaaaaaaa => 300 Invalid parameter: password
            ",
    )
    .await;
}

#[tokio::test]
async fn rejects_updates_without_licence() {
    let stage = Stage::start().await;
    let id = stage.id_of(BASIC).await;
    let large = format!("user/update id={id} enable_large=1");
    let refused = format!("1108 User type permission check failed: {id}");
    let webinar = format!("user/update id={id} enable_webinar=1");
    let host_key = format!("user/update id={id} host_key=123456");
    errors(
        &stage,
        &format!(
            "
            {large} => {refused}
            {webinar} => 1122 Only Pro or Corp user can enable Webinar feature.
            {host_key} => 1109 Host is not Paid user.
            user/update id=hedy.lamarr@example.com pmi=4085551234 => 200 You cannot change PMI information for a \"No Meetings License\" user.
            "
        ),
    )
    .await;
}

#[tokio::test]
async fn rejects_conflicting_updates() {
    let stage = Stage::start().await;
    let pmi = stage.user(ADA).await["pmi"].to_string();
    let same_pmi = format!("user/update id={BASIC} pmi={pmi}");
    errors(
        &stage,
        &format!(
            "
            user/update id=grace.hopper@example.com vanity_name=ada => 4100 User is already taken by another user from your account. Choose another \"Personal Link Name\".
            {same_pmi} => 300 Invalid parameter: pmi
            user/update id=grace.hopper@example.com group_id=nowhere => 4130 Group not exist: nowhere
            user/update id=grace.hopper@example.com imgroup_id=nowhere => 4130 Group not exist: nowhere
            "
        ),
    )
    .await;
}

#[tokio::test]
async fn rejects_exhausted_features() {
    let account = SandboxConfig {
        max_webinar_users: Some(0),
        max_large_meeting_users: Some(0),
        ..SandboxConfig::default()
    };
    check_account(
        account,
        "
            user/update id=ada.lovelace@example.com enable_webinar=1 webinar_capacity=500 => 200 You can add max 0 Webinar 500 users.
            user/update id=ada.lovelace@example.com enable_large=1 large_capacity=500 => 200 You can add max 0 Large 500 users.
            ",
    )
    .await;
}

#[tokio::test]
async fn rejects_deactivation_and_removal_of_protected_users() {
    let stage = Stage::start().await;
    let status = "200 Zoom Room and Admin users can not be activated or deactivated.";
    let managed = "1107 Can not disassociate the user with managed domain";
    let admin = "1117 Can not disassociate Admin user";
    let cases = [
        (format!("user/activate id={OWNER}"), status),
        (format!("user/deactivate id={OWNER}"), status),
        (format!("user/delete id={MANAGED}"), managed),
        (format!("user/delete id={OWNER}"), admin),
        (
            format!("user/delete id={OWNER} type=1"),
            "1120 Invite not exist",
        ),
        (
            format!("user/permanentdelete id={OWNER}"),
            "200 Cannot delete a user out of your account.",
        ),
    ];
    for (request, expected) in &cases {
        error(&stage, request, expected).await;
    }
    for email in [OWNER, MANAGED] {
        assert_eq!(stage.user(email).await["email"], email);
    }
}

#[tokio::test]
async fn rejects_unlinking_custcreate_users_if_configured() {
    let settings = "[options]\ndelete_api_users = \"refuse\"";
    let stage = Stage::with(SandboxConfig::default(), settings).await;
    let request = format!("user/delete id={API_USER}");
    let expected = "300 Unable to unlink API user(s). user/permanentdelete deletes such a user \
                    with all that the user has stored.";
    error(&stage, &request, expected).await;
    assert_eq!(stage.user(API_USER).await["email"], API_USER);
}

#[tokio::test]
async fn rejects_passwords() {
    let account = SandboxConfig {
        special_character_required: true,
        ..SandboxConfig::default()
    };
    let stage = Stage::with(account, "").await;
    let cases = [
        (
            OWNER,
            "Fine4Password!",
            "1117 Can not update Admin's password",
        ),
        (
            SSO_USER,
            "Fine4Password!",
            "1123 Can only update password of Zoom work email account",
        ),
        (ADA, "Ab1!", "1124 Have at least 8 characters"),
        (
            ADA,
            "12345!54321!",
            "1125 Have at least 1 letter (a, b, c…)",
        ),
        (
            ADA,
            "NoNumber!Here",
            "1126 Have at least 1 number (1, 2, 3…)",
        ),
        (
            ADA,
            "No5Special5Char",
            "1127 Have at least 1 special character (!, @, #…)",
        ),
        (
            ADA,
            "one5case5only!",
            "1128 Include both Upper case and Lower case characters",
        ),
        (
            ADA,
            "aaaaaaaa",
            "1130 Password can't use the same character.",
        ),
        (
            ADA,
            "Xabcdef1!",
            "1131 Password can't use continuation character.Such as 'abcdef','123456'.",
        ),
    ];
    for (id, password, expected) in cases {
        let given = [("id", id), ("password", password)];
        let error = stage.ask("user/updatepassword", &given).await.error();
        assert_eq!(error, expected, "{password}");
    }
    let plain = Stage::start().await;
    let given = [("id", ADA), ("password", "Password123")];
    assert_eq!(
        plain.ask("user/updatepassword", &given).await.error(),
        "1136 Your password is too easy to guess. Try another one."
    );
}

#[tokio::test]
async fn rejects_pictures() {
    let stage = Stage::start().await;
    let large = [b"\xff\xd8\xff".as_slice(), &vec![0; 2 << 20]].concat();
    let cases: [(&[u8], &str); 2] = [
        (
            b"GIF89a",
            "120 Only jpg/jpeg or png image file can be uploaded.",
        ),
        (&large, "120 File size cannot exceed 2M."),
    ];
    for operation in ["user/uploadpicture", "user/updatepassword"] {
        for (bytes, expected) in cases {
            let file = ("pic_file", bytes);
            let answer = stage.ask_with_file(operation, &[("id", ADA)], file).await;
            assert_eq!(answer.error(), expected);
        }
    }
}

#[tokio::test]
async fn rejects_invalid_assistants() {
    let stage = Stage::start().await;
    let cases = [
        (
            ADA,
            ADA,
            "200 Can't assign scheduling privilege to yourself.".to_owned(),
        ),
        (
            ADA,
            "nobody@example.com",
            "200 Can't find user nobody@example.com.".to_owned(),
        ),
        (
            ADA,
            BASIC,
            format!("200 The user must either be a Licensed user or an On-prem user : {BASIC}."),
        ),
        (
            BASIC,
            ADA,
            format!("200 The user must either be a Licensed user or an On-prem user : {BASIC}."),
        ),
    ];
    for (host, assistant, expected) in cases {
        let given = [("host_email", host), ("assistant_email", assistant)];
        assert_eq!(
            stage.ask("user/assistant/set", &given).await.error(),
            expected
        );
    }
}

#[tokio::test]
async fn credentials() {
    let stage = Stage::start().await;
    let missing = stage.ask_as("", "", "user/list").await.error();
    assert_eq!(missing, "300 Api key and secret are required.");
    for (key, secret) in [
        ("wrong", end_to_end::API_SECRET),
        (end_to_end::API_KEY, "wrong"),
    ] {
        let wrong = stage.ask_as(key, secret, "user/list").await.error();
        assert_eq!(wrong, "200 Invalid api key or secret");
    }
    assert!(stage.wire().lines().is_empty(), "v2 is not asked");
}
