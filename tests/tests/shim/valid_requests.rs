//! A successful request of each operation that calls v2, with the ids that it needs.

use end_to_end::{Answer, CHAT_TOKEN, Stage};
use serde_json::Value;

use crate::requests::{month, success};

const ADA: &str = "ada.lovelace@example.com";
const MARY: &str = "mary.jackson@example.com";
const GRACE: &str = "grace.hopper@example.com";
const SOON: &str = "start_time=2031-05-01T09:30:00Z duration=45";

/// A successful request of each operation that calls v2. `{n}` is a unique number; other names are
/// those of [`Ids`].
pub(crate) const REQUESTS: &[&str] = &[
    "user/create email=create{n}@example.com type=1 group_id={group} imgroup_id={im}",
    "user/autocreate email=auto{n}@example.com type=2 password=Analytical4Engine {all}",
    "user/autocreate2 email=auto{n}@example.com type=2 password=Analytical4Engine {all}",
    "user/custcreate email=cust{n}@example.com type=2 {all}",
    "user/ssocreate email=sso{n}@example.com type=2 pmi=203513{n} group_id={group} imgroup_id={im} enable_webinar=true webinar_capacity=500",
    "user/update id={user} {all}",
    "user/update id={user}",
    "user/get id={user}",
    "user/getbyemail email=ada.lovelace@example.com",
    "user/list",
    "user/pending",
    "user/checkemail email=ada.lovelace@example.com",
    "user/scheduleforhost/list id={host}",
    "user/scheduleforhost/list id=grace.hopper@example.com",
    "user/activate id={user}",
    "user/deactivate id={user}",
    "user/delete id={user}",
    "user/delete id={pending} type=1",
    "user/permanentdelete id={user}",
    "user/permanentdelete email={pending}",
    "user/revoketoken id={user}",
    "user/updatepassword id=george.boole@example.com password=Difference{n}Engine",
    "user/uploadpicture id={user}",
    "user/assistant/set id=joan.clarke@example.com assistant_email=grace.hopper@example.com",
    "user/assistant/delete id={host}",
    "user/assistant/delete id={host} assistant_email=grace.hopper@example.com",
    "meeting/create host_id=ada.lovelace@example.com type=2 topic=T {soon}",
    "meeting/get id={meeting} host_id=ada.lovelace@example.com",
    "meeting/list host_id=ada.lovelace@example.com",
    "meeting/live",
    "meeting/update id={meeting} host_id=ada.lovelace@example.com topic=U",
    "meeting/delete id={new_meeting} host_id=ada.lovelace@example.com",
    "meeting/end id={running_meeting} host_id=ada.lovelace@example.com",
    "meeting/register id={meeting} email=r{n}@example.net first_name=X last_name=Y",
    "webinar/create host_id=mary.jackson@example.com type=5 topic=T {soon} {panelists}",
    "webinar/update id={webinar} host_id=mary.jackson@example.com topic=U {panelists}",
    "webinar/get id={webinar} host_id=mary.jackson@example.com",
    "webinar/list host_id=mary.jackson@example.com",
    "webinar/list/registration host_id=mary.jackson@example.com",
    "webinar/delete id={new_webinar} host_id=mary.jackson@example.com",
    "webinar/end id={running_webinar} host_id=mary.jackson@example.com",
    "webinar/register id={webinar} email=r{n}@example.net first_name=X last_name=Y",
    "webinar/registration id={webinar} host_id=mary.jackson@example.com",
    "webinar/registrants/list id={webinar} host_id=mary.jackson@example.com",
    "webinar/registrants/approve id={webinar} host_id=mary.jackson@example.com registrant_ids={registrant}",
    "webinar/registration/cancel id={webinar} host_id=mary.jackson@example.com registrant_ids={registrant}",
    "webinar/panelists id={webinar} host_id=mary.jackson@example.com",
    "webinar/uuid/list id={past} host_id=mary.jackson@example.com",
    "webinar/attendees/list id={past} host_id=mary.jackson@example.com",
    "webinar/polls id={past} host_id=mary.jackson@example.com",
    "webinar/questions id={past} host_id=mary.jackson@example.com",
    "group/list",
    "group/get id={group}",
    "group/create name=G{n}",
    "group/edit id={group} name=G{n}",
    "group/edit id={group}",
    "group/delete id={new_group}",
    "group/member/list id={group}",
    "group/member/add id={group} member_ids={user}",
    "group/member/delete id={group} member_ids={user}",
    "im/group/list",
    "im/group/get id={im}",
    "im/group/create name=G{n}",
    "im/group/edit id={im} name=G{n}",
    "im/group/edit id={im}",
    "im/group/delete id={new_im}",
    "im/group/member/list id={im}",
    "im/group/member/add id={im} member_ids={user}",
    "im/group/member/delete id={im} member_ids={user}",
    "h323/device/list",
    "h323/device/create name=D{n} ip=192.0.2.1",
    "h323/device/update id={device} name=E{n}",
    "h323/device/update id={device} name=E{n} ip=192.0.2.3 protocol_type=2 encryption_type=1",
    "h323/device/delete id={new_device}",
    "recording/get meeting_id={recording}",
    "recording/list host_id=ada.lovelace@example.com",
    "mc/recording/list host_id=ada.lovelace@example.com",
    "recording/delete meeting_id={old_recording}",
    "recording/delete meeting_id={recording} file_id={file}",
    "report/getaccountreport {month}",
    "report/getaudioreport {month}",
    "report/getdailyreport {this_month}",
    "report/getuserreport user_id=ada.lovelace@example.com {month}",
    "report/getuserreport user_id=mary.jackson@example.com {month}",
    "metrics/meetings type=2 {month}",
    "metrics/meetingdetail type=2 meeting_id={past_meeting}",
    "metrics/qos type=2 meeting_id={past_meeting}",
    "metrics/qos type=2 meeting_id={past_meeting} user_id={participant}",
    "metrics/sharerecorddetail meeting_id={past_meeting}",
    "metrics/sharerecorddetail meeting_id={live_meeting}",
    "metrics/webinars type=2 {month}",
    "metrics/webinardetail type=2 meeting_id={past_webinar}",
    "metrics/crc {month}",
    "metrics/im {month}",
    "metrics/zoomrooms",
    "metrics/zoomroomdetail id={room} {month}",
    "chat/list {chat}",
    "chat/get session_id={session} {chat}",
    "ma/account/list",
    "ma/account/get account_id={account}",
    "ma/account/create email=owner{n}@sub.example.com {owner} meeting_capacity=100",
    "ma/account/update account_id={account} enable_share_rc=true meeting_capacity=100",
    "ma/account/update account_id={account}",
    "ma/account/delete account_id={new_account}",
    "ma/account/plan/get account_id={account}",
    "ma/account/plan/subscribe account_id={new_account} {billed}",
    "ma/account/plan/add account_id={account} plan={\"type\":\"large100_monthly\",\"hosts\":2}",
    "ma/account/plan/update account_id={account} type=1 plan[type]=monthly plan[hosts]=20",
    "ma/account/plan/update account_id={account} type=2 plan={webinar_plan}",
    "ma/account/billing/update account_id={account} city=Boston",
    "ma/account/billing/update account_id={account}",
];

/// Ids of a stage. Some are created on demand.
pub(crate) struct Ids<'s> {
    stage: &'s Stage,
    number: usize,
    known: Vec<(&'static str, String)>,
}

impl<'s> Ids<'s> {
    #[expect(clippy::too_many_lines, reason = "a table")]
    pub(crate) async fn of(stage: &'s Stage) -> Self {
        let mut ids = Self {
            stage,
            // Four digits, so that it can be the end of a personal meeting id.
            number: 1000,
            known: Vec::new(),
        };
        let dates = month();
        let today = crate::requests::day(0);
        let opened = format!("access_token={CHAT_TOKEN} {dates}");
        for (name, text) in [
            (
                "all",
                "dept=x disable_chat=true option_enter_exit_chime_type=1 group_id={group} imgroup_id={im}",
            ),
            ("soon", SOON),
            ("month", &dates),
            (
                "this_month",
                &format!("year={} month={}", &today[..4], &today[5..7]),
            ),
            ("chat", &opened),
            (
                "panelists",
                r#"panelists=[{"name":"P","email":"p{n}@example.net"}]"#,
            ),
            (
                "owner",
                "first_name=N last_name=W password=Analytical4Engine",
            ),
            (
                "billed",
                "first_name=N last_name=W phone_number=5550100 address=A city=X country=US state=CA zip=95113 plan_base[type]=monthly plan_base[hosts]=10",
            ),
            ("webinar_plan", r#"{"type":"webinar500_monthly","hosts":1}"#),
            ("pending", "emmy.noether@example.com"),
        ] {
            ids.known.push((name, text.to_owned()));
        }
        // Ids from lists: name, list operation, member, index.
        for (name, list, at) in [
            ("group", "group/list", "/groups/0/group_id"),
            ("im", "im/group/list", "/groups/0/group_id"),
            ("device", "h323/device/list", "/devices/0/id"),
            ("room", "metrics/zoomrooms", "/zoom_rooms/0/id"),
            ("session", "chat/list {chat}", "/chat_list/0/session_id"),
            (
                "past_meeting",
                "metrics/meetings type=2 {month}",
                "/meetings/0/uuid",
            ),
            (
                "live_meeting",
                "metrics/meetings type=1 {month}",
                "/meetings/0/uuid",
            ),
            (
                "past_webinar",
                "metrics/webinars type=2 {month}",
                "/meetings/0/uuid",
            ),
            (
                "participant",
                "metrics/qos type=2 meeting_id={past_meeting}",
                "/participants/0/user_id",
            ),
            (
                "recording",
                "recording/list host_id=ada.lovelace@example.com",
                "/meetings/1/uuid",
            ),
            (
                "file",
                "recording/list host_id=ada.lovelace@example.com",
                "/meetings/1/recording_files/0/id",
            ),
            (
                "old_recording",
                "recording/list host_id=ada.lovelace@example.com",
                "/meetings/5/uuid",
            ),
            ("account", "ma/account/list", "/subAccounts/1/id"),
        ] {
            let id = ids.made(list, at).await;
            ids.known.push((name, id));
        }
        let mary = stage
            .v2(&format!("/users/{MARY}/webinars?page_size=300"))
            .await;
        let past = mary["webinars"].as_array().unwrap().iter();
        let mut past = past.filter(|webinar| webinar["topic"] == "Numbers that fly");
        ids.known
            .push(("past", past.next().unwrap()["id"].to_string()));
        for (name, create) in [
            (
                "meeting",
                "meeting/create host_id=ada.lovelace@example.com type=2 topic=T {soon} option_registration=true",
            ),
            (
                "running_meeting",
                "meeting/create host_id=ada.lovelace@example.com type=2 topic=T {soon}",
            ),
            (
                "running_webinar",
                "webinar/create host_id=mary.jackson@example.com type=5 topic=T {soon}",
            ),
            (
                "webinar",
                "webinar/create host_id=mary.jackson@example.com type=5 topic=T {soon} approval_type=1",
            ),
        ] {
            let id = ids.made(create, "/id").await;
            ids.known.push((name, id));
        }
        ids
    }

    /// Sends a request and returns a member of the response.
    pub(crate) async fn made(&mut self, request: &str, at: &str) -> String {
        let request = Box::pin(self.fill(request)).await;
        let answer = success(self.stage, &request).await;
        match answer.pointer(at) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => panic!("nothing at {at} in {answer}"),
        }
    }

    /// Creates what the request consumes.
    pub(crate) async fn fresh(&mut self, name: &str) -> Option<String> {
        Some(match name {
            "user" => {
                let user = "user/custcreate email=fresh{n}@example.com type=1";
                self.made(user, "/id").await
            }
            "host" => {
                let set = format!("user/assistant/set id={ADA} assistant_email={GRACE}");
                success(self.stage, &set).await;
                ADA.to_owned()
            }
            "pending" => {
                let user = "user/create email=invited{n}@example.com type=1";
                self.made(user, "/email").await
            }
            "new_meeting" => {
                let made = "meeting/create host_id=ada.lovelace@example.com type=3 topic=T";
                self.made(made, "/id").await
            }
            "new_webinar" => {
                let made = "webinar/create host_id=mary.jackson@example.com type=6 topic=T";
                self.made(made, "/id").await
            }
            "running_meeting" | "running_webinar" => {
                let id = self
                    .known
                    .iter()
                    .find(|(known, _)| *known == name)?
                    .1
                    .clone();
                let area = name.trim_start_matches("running_");
                self.stage
                    .steer(&format!("/sandbox/{area}s/{id}/start"))
                    .await;
                id
            }
            "registrant" => {
                let register =
                    "webinar/register id={webinar} email=r{n}@example.net first_name=X last_name=Y";
                self.made(register, "/registrant_id").await
            }
            "new_group" => self.made("group/create name=N{n}", "/group_id").await,
            "new_im" => self.made("im/group/create name=N{n}", "/group_id").await,
            "new_device" => {
                self.made("h323/device/create name=N{n} ip=192.0.2.9", "/id")
                    .await
            }
            "new_account" => {
                let made = "ma/account/create email=new{n}@sub.example.com {owner}";
                self.made(made, "/id").await
            }
            _ => return None,
        })
    }

    /// Fills the placeholders of a request.
    pub(crate) async fn fill(&mut self, request: &str) -> String {
        let mut filled = request.to_owned();
        while let Some((name, place)) = placeholder(&filled) {
            let value = match name.as_str() {
                "n" => {
                    self.number += 1;
                    self.number.to_string()
                }
                name => {
                    if let Some(id) = self.fresh(name).await {
                        id
                    } else {
                        let mut known = self.known.iter();
                        let found = known.find(|(known, _)| *known == name);
                        found.unwrap_or_else(|| panic!("no {name}")).1.clone()
                    }
                }
            };
            filled.replace_range(place, &value);
        }
        filled
    }
}

/// First `{name}` in a text.
pub(crate) fn placeholder(text: &str) -> Option<(String, std::ops::Range<usize>)> {
    text.match_indices('{').find_map(|(start, _)| {
        let (name, _) = text[start + 1..].split_once('}')?;
        let is_name = name
            .chars()
            .all(|char| char.is_ascii_lowercase() || char == '_');
        (is_name && !name.is_empty()).then(|| (name.to_owned(), start..start + name.len() + 2))
    })
}

pub(crate) async fn ask(stage: &Stage, request: &str) -> Answer {
    let Some(picture) = request.strip_prefix("user/uploadpicture id=") else {
        return crate::requests::ask(stage, request).await;
    };
    let file = ("pic_file", b"\xff\xd8\xff".as_slice());
    stage
        .ask_with_file("user/uploadpicture", &[("id", picture)], file)
        .await
}
