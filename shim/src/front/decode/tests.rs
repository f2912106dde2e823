use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

fn names() -> ParameterNames<'static> {
    ParameterNames {
        credentials: ["api_key", "api_secret"],
        files: vec!["pic_file"],
        nested: vec!["recurrence", "ids"],
        known: vec!["api_key", "id", "dept", "pic_file", "recurrence", "ids"],
    }
}

fn decode_bytes(
    query: &str,
    content_type: Option<&str>,
    body: &[u8],
) -> (Arguments, Result<(), DecodeError>) {
    let names = names();
    let content = Content::from_header(content_type.map(str::as_bytes));
    let body = Bytes::copy_from_slice(body);
    let read = Decoder::query(Some(query), &names).body(&content, &body);
    let read = read.now_or_never().expect("nothing to wait for");
    (read.arguments, read.result)
}

/// The parameters as `name=value`, a file as `name=@file name:bytes`.
fn decode(query: &str, content_type: Option<&str>, body: &str) -> String {
    let (arguments, result) = decode_bytes(query, content_type, body.as_bytes());
    match result {
        Ok(()) => show(&arguments),
        Err(error) => format!("{error:?}"),
    }
}

fn show(arguments: &Arguments) -> String {
    let shown: Vec<_> = arguments
        .iter()
        .map(|(name, value)| match value {
            Argument::Text(text) => format!("{name}={text}"),
            Argument::File(file) => format!(
                "{name}=@{}:{}",
                file.name.as_deref().unwrap_or_default(),
                file.bytes.escape_ascii()
            ),
        })
        .collect();
    shown.join("&")
}

#[test]
fn decodes_forms_with_any_content_type() {
    let expected = "api_key=k&dept=R&D north&name=Zoë";
    let body = "api_key=k&dept=R%26D+north&name=Zo%C3%AB";
    for content_type in [
        Some(FORM),
        Some("application/x-www-form-urlencoded; charset=UTF-8"),
        Some("Application/X-WWW-Form-Urlencoded"),
        Some("application/json"),
        Some("application/octet-stream"),
        Some("multipart/form-data"),
        Some("text/plain;charset=utf-8"),
        Some(""),
        None,
    ] {
        assert_eq!(decode("", content_type, body), expected, "{content_type:?}");
    }
    for content_type in [Some(FORM), Some("application/json"), None] {
        assert_eq!(decode(body, content_type, ""), expected, "{content_type:?}");
    }
}

#[test]
fn query_and_first_value_take_precedence() {
    assert_eq!(
        decode("id=1&id=2", Some(FORM), "id=3&email=a&email=b"),
        "id=1&email=a"
    );
}

#[test]
fn decodes_malformed_forms_like_v1() {
    assert_eq!(decode("", Some(FORM), "&&a=1&=2&b&c=d=e&"), "a=1&b=&c=d=e");
    assert_eq!(
        decode("", Some(FORM), "a=100%&b=%zz&c=%2"),
        "a=100%&b=%zz&c=%2"
    );
    assert_eq!(decode("", Some(FORM), "a=%00%0D%0A"), "a=\0\r\n");
    assert_eq!(decode("", Some(FORM), "\r\n"), "");
}

#[test]
fn decodes_values_in_the_declared_charset() {
    let form = |charset: &str| format!("{FORM}; charset={charset}");
    for charset in ["ISO-8859-1", "\"windows-1252\"", "latin1"] {
        let read = decode("", Some(&form(charset)), "dept=M%FCnchen");
        assert_eq!(read, "dept=München", "{charset}");
    }
    let part = "--b\r\nContent-Type: text/plain; charset=iso-8859-2\r\n\
        Content-Disposition: form-data; name=dept\r\n\r\n"
        .as_bytes();
    let body = [part, b"\xb1\r\n--b--"].concat();
    let (arguments, result) = decode_bytes("", Some("multipart/form-data; boundary=b"), &body);
    assert_eq!((show(&arguments).as_str(), result), ("dept=ą", Ok(())));
    assert_eq!(
        decode("", Some(&form("utf-8")), "id=1&dept=M%FCnchen"),
        r#"NotText { parameter: "dept" }"#
    );
}

#[test]
fn invalid_utf8_without_a_charset_is_windows_1252() {
    let names = names();
    let body = Bytes::from_static(b"id=1&memo=M%FCnchen&dept=%80");
    let content = Content::from_header(None);
    let read = Decoder::query(None, &names).body(&content, &body);
    let read = read.now_or_never().expect("nothing to wait for");
    assert_eq!(show(&read.arguments), "id=1&memo=München&dept=€");
    assert_eq!(read.guessed, ["dept"], "known parameters only");
}

#[test]
fn later_value_replaces_an_empty_one() {
    assert_eq!(decode("id=&id=1&id=2", None, ""), "id=1");
    assert_eq!(
        decode("id=&dept=a", Some(FORM), "id=1&dept=b"),
        "dept=a&id=1"
    );
}

#[test]
fn trims_names_and_byte_order_marks() {
    assert_eq!(decode("", Some(FORM), "id=1& dept=a"), "id=1&dept=a");
    assert_eq!(decode("", Some(FORM), "\u{feff}id=1"), "id=1");
    let json = Some("application/json");
    assert_eq!(decode("", json, "\u{feff}{\"id\":\"1\"}"), "id=1");
}

#[test]
fn ignores_invalid_json_values_of_unknown_parameters() {
    assert_eq!(decode("", None, r#"{"id":"1","memo":{}}"#), "id=1&memo=");
}

#[test]
fn files_in_forms_are_bytes() {
    assert_eq!(
        decode("", Some(FORM), "id=1&pic_file=%FF%D8+%26%00"),
        r"id=1&pic_file=@:\xff\xd8 &\x00"
    );
    assert_eq!(decode("", Some(FORM), "id=1&pic_file="), "id=1&pic_file=");
}

#[test]
fn decodes_a_flat_json_object() {
    assert_eq!(
        decode(
            "",
            Some("application/json; charset=utf-8"),
            r#" {"api_key":"k","type":1,"pmi":2035134243,"enable_cmr":true,"dept":null}"#
        ),
        "api_key=k&type=1&pmi=2035134243&enable_cmr=true"
    );
    // As sent by `curl -d '{…}'`.
    assert_eq!(decode("", Some(FORM), r#"{"id":"1"}"#), "id=1");
    assert_eq!(decode("", None, r#"{"id":"1"}"#), "id=1");
}

#[test]
fn nested_json_becomes_text_as_in_forms() {
    let json = Some("application/json");
    let body = r#"{"recurrence":{"type":1,"weekly_days":"2,3"},"ids":["a",7]," ids ":[],"id":"1"}"#;
    let expected = r#"recurrence={"type":1,"weekly_days":"2,3"}&ids=["a",7]&id=1"#;
    assert_eq!(decode("", json, body), expected);
    // JSON in a string is passed on unchanged.
    let body = r#"{"recurrence":"{\"type\": 1}"}"#;
    assert_eq!(decode("", json, body), r#"recurrence={"type": 1}"#);
}

#[test]
fn nested_json_is_passed_on_as_text_of_its_own_size() {
    let json = Some("application/json");
    let nested =
        r#"[ null, true , -1, 18446744073709551615, 1.5, "a\"\u00e9\n", {}, [], {"b" : [ ]} ]"#;
    let body = format!(r#"{{"recurrence": {nested}}}"#);
    assert_eq!(decode("", json, &body), format!("recurrence={nested}"));
    let arrays = format!("[{}[]]", "[],".repeat(500_000));
    let body = format!(r#"{{"recurrence":{arrays}}}"#);
    assert_eq!(
        decode("", json, &body).len(),
        "recurrence=".len() + arrays.len()
    );
    let body = format!(r#"{{"other":{arrays},"id":"1"}}"#);
    assert_eq!(decode("", json, &body), "other=&id=1");
}

#[test]
fn rejects_json_that_is_not_an_object_of_parameters() {
    let json = Some("application/json");
    assert_eq!(
        decode("", json, r#"{"id":["1"]}"#),
        r#"NotText { parameter: "id" }"#
    );
    let not_an_object = r#"Unreadable("the JSON body is not an object")"#;
    for body in ["[]", "null", r#""id=1""#] {
        assert_eq!(decode("", json, body), not_an_object, "{body}");
    }
    for body in ["{", "{\"a\":1}}", "\u{feff}"] {
        let read = decode("", json, body);
        let expected = r#"Unreadable("the body is not JSON")"#;
        assert!(read == expected || read.is_empty(), "{body}: {read}");
    }
}

#[test]
fn ignores_an_irrelevant_body_if_the_query_has_credentials() {
    let query = "api_key=k&api_secret=s&id=1";
    for (content_type, body) in [
        ("application/json", "[]"),
        ("application/json", "{\"id\":{\"a\":1}}"),
        ("application/json", "{broken"),
        ("text/xml", "<a b=\"c\"/>"),
        ("text/plain", "\u{1}"),
    ] {
        assert_eq!(decode(query, Some(content_type), body), query, "{body}");
    }
    // A body with parameters is relevant.
    assert_eq!(
        decode(query, Some("application/json"), r#"{"dept":"x"}"#),
        format!("{query}&dept=x")
    );
    assert_eq!(
        decode(query, Some(FORM), "dept=%FF"),
        format!("{query}&dept=ÿ")
    );
}

#[test]
fn decodes_multipart_of_curl() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n1\r\n\
        --b\r\nContent-Disposition: form-data; name=\"pic_file\"; filename=\"a.jpg\"\r\n\
        Content-Type: image/jpeg\r\n\r\n\u{1}\r\n--\r\n--b--\r\n";
    assert_eq!(
        decode("", Some("multipart/form-data; boundary=b"), body),
        r"id=1&pic_file=@a.jpg:\x01\r\n--"
    );
}

#[test]
fn decodes_multipart_of_powershell() {
    let body = "--7f-x y\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Disposition: form-data; name=api_key\r\n\r\nk\r\n\
        --7f-x y\r\nContent-Type: application/octet-stream\r\n\
        Content-Disposition: form-data; name=pic_file; filename=ada.jpg; \
        filename*=utf-8''ada.jpg\r\n\r\n\u{2}\r\n--7f-x y--\r\n";
    let content_type = "multipart/form-data; boundary=\"7f-x y\"";
    assert_eq!(
        decode("", Some(content_type), body),
        r"api_key=k&pic_file=@ada.jpg:\x02"
    );
}

#[test]
fn part_is_a_file_by_parameter_or_file_name() {
    let body = "--b\r\nContent-Disposition: form-data; name=pic_file\r\n\r\n\u{3}\r\n\
        --b\r\nContent-Disposition: form-data; name=other; filename*=utf-8''x\r\n\r\n\u{4}\r\n\
        --b--";
    assert_eq!(
        decode("", Some("multipart/form-data; boundary=b"), body),
        r"pic_file=@:\x03&other=@:\x04"
    );
}

#[test]
fn rejects_broken_multipart() {
    let broken = r#"Unreadable("the multipart body is broken or cut off")"#;
    let with_boundary = Some("multipart/form-data; boundary=b");
    for body in [
        "--b\r\nContent-Disposition: form-data; name=id\r\n\r\n1",
        "--b\r\nContent-Disposition: form-data; name=id",
        "--other\r\n\r\n",
        "id=1",
    ] {
        assert_eq!(decode("", with_boundary, body), broken, "{body}");
    }
    assert_eq!(
        decode("", Some("multipart/form-data"), "--b\r\n\r\n"),
        r#"Unreadable("multipart/form-data without a boundary in its Content-Type")"#
    );
}

#[test]
fn limits_the_number_of_parameters() {
    let many = |count: usize| {
        let pairs: Vec<_> = (0..count).map(|index| format!("p{index}=")).collect();
        decode_bytes("", Some(FORM), pairs.join("&").as_bytes()).1
    };
    assert_eq!(many(MAX_PARAMETERS), Ok(()));
    assert_eq!(many(MAX_PARAMETERS + 1), Err(DecodeError::TooMany));
}

fn text_pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::btree_map("[a-z_]{1,12}", any::<String>(), 0..8)
        .prop_map(|pairs| pairs.into_iter().collect())
}

proptest! {
    #[test]
    fn form_encoding_round_trips(pairs in text_pairs()) {
        let encoded = serde_urlencoded::to_string(&pairs).unwrap();
        let expected: Arguments = pairs.into_iter().collect();
        for (query, body) in [(encoded.as_str(), ""), ("", encoded.as_str())] {
            let (read, result) = decode_bytes(query, Some(FORM), body.as_bytes());
            prop_assert_eq!(result, Ok(()));
            prop_assert!(read == expected);
        }
    }

    #[test]
    fn json_encoding_round_trips(pairs in text_pairs()) {
        let object: serde_json::Map<_, _> = pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let body = serde_json::to_vec(&object).unwrap();
        let (read, result) = decode_bytes("", Some("application/json"), &body);
        prop_assert_eq!(result, Ok(()));
        prop_assert!(read == pairs.into_iter().collect());
    }

    #[test]
    fn files_round_trip_in_every_encoding(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
        let escaped = percent_encoding::percent_encode(&bytes, percent_encoding::NON_ALPHANUMERIC);
        let form = format!("pic_file={escaped}");
        let mut multipart = b"--q-b-q\r\nContent-Disposition: form-data; name=pic_file\r\n\r\n".to_vec();
        multipart.extend(&bytes);
        multipart.extend(b"\r\n--q-b-q--\r\n");
        for (content_type, body) in [
            (FORM, form.as_bytes()),
            ("multipart/form-data; boundary=q-b-q", multipart.as_slice()),
        ] {
            let (read, result) = decode_bytes("", Some(content_type), body);
            prop_assert_eq!(result, Ok(()));
            let Some(Argument::File(file)) = read.get("pic_file") else {
                panic!("no file");
            };
            prop_assert_eq!(&file.bytes[..], &bytes[..]);
        }
    }

    #[test]
    fn no_input_panics(
        query in any::<String>(),
        content_type in prop_oneof![
            Just("multipart/form-data; boundary=b".to_owned()),
            Just("application/json".to_owned()),
            any::<String>(),
        ],
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..300),
            "(--b\r\n|--b--|content-disposition: form-data; |name=|\"|\\\\|filename\\*?=|\r\n|;|x){0,30}"
                .prop_map(String::into_bytes),
        ],
    ) {
        let (arguments, _) = decode_bytes(&query, Some(&content_type), &body);
        prop_assert!(arguments.iter().all(|(name, _)| !name.is_empty()));
    }
}
