//! Parameters of calls, in variables, query strings and chained calls.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod project;

use project::*;

const URL: &str = "https://api.zoom.us/v1/user/list";

/// The parameters and the fidelity of the first operation in a file.
fn advice(name: &str, code: &str) -> (Vec<String>, String) {
    let folder = tree(&[(name, &code.replace("AT", URL))]);
    let report = json(folder.path(), &["."]);
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|found| !found["operation"].is_null());
    let found = found.unwrap_or_else(|| panic!("{report}"));
    let parameters = found["parameters"].as_array().unwrap().iter();
    let parameters = parameters.map(|name| name.as_str().unwrap().to_owned());
    let fidelity = found["advice"]["fidelity"].as_str().unwrap().to_owned();
    (parameters.collect(), fidelity)
}

#[track_caller]
fn assert_advice(name: &str, code: &str, parameters: &[&str], fidelity: &str) {
    let expected: Vec<String> = parameters.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(
        advice(name, code),
        (expected, fidelity.to_owned()),
        "{code}"
    );
}

#[test]
fn literals_in_variables_are_known_parameters() {
    let number = &["page_number"];
    for (name, code) in [
        (
            "a.js",
            "const Zoom = require('zoomus')({ key, secret });\nvar query = { page_number: 2 };\n\
             Zoom.user.list(query, function (r) {});\n",
        ),
        (
            "a.js",
            "const Zoom = require('zoomus')({ key, secret });\nfunction f(cb) {\n  var query = {};\n  \
             query.page_number = 2;\n  Zoom.user.list(query, cb);\n}\n",
        ),
        (
            "a.js",
            "var options = { qs: { api_key: k, page_number: 2 } };\nsend('POST', 'AT', options);\n",
        ),
        (
            "a.ts",
            "class Z { a(k: string) {\n  const form: any = { api_key: k };\n  form.page_number = 2;\n  \
             return this.http.post('AT', form, { headers: h });\n} }\n",
        ),
        (
            "a.py",
            "def a(k):\n    data = {'api_key': k}\n    if k:\n        data['page_number'] = 2\n    \
             return requests.post('AT', data=data)\n",
        ),
        (
            "a.rb",
            "def a(k)\n  body = { api_key: k }\n  body[:page_number] = 2\n  \
             HTTParty.post('AT', body: body)\nend\n",
        ),
        (
            "a.php",
            "<?php\n$p = array('api_key' => $k);\n$p['page_number'] = 2;\n\
             post('AT', http_build_query($p));\n",
        ),
        (
            "a.php",
            "<?php\n$q = \"api_key=\".$k.\"&page_number=\".$n;\npost('AT', $q);\n",
        ),
        (
            "a.go",
            "package a\nfunc f() {\n\tb := url.Values{\"api_key\": {k}, \"page_number\": {n}}\n\t\
             http.PostForm(\"AT\", b)\n}\n",
        ),
        (
            "a.ps1",
            "$body = @{api_key=$k;page_number=2}\n\
             Invoke-RestMethod -Method Post -Uri AT -Body $body\n",
        ),
    ] {
        assert_advice(name, code, number, "exact");
    }
}

#[test]
fn variables_that_may_get_more_are_not_all_parameters() {
    for (name, code) in [
        (
            "a.js",
            "function f(more) {\n  var form = { api_key: k, page_number: 2 };\n  \
             Object.assign(form, more);\n  axios.post('AT', form);\n}\n",
        ),
        (
            "a.js",
            "var form = { api_key: k, page_number: 2, ...more };\naxios.post('AT', form);\n",
        ),
        (
            "a.py",
            "def a(k, more):\n    data = {'api_key': k, 'page_number': 2}\n    for x in more:\n        \
             data[x] = 1\n    return requests.post('AT', data=data)\n",
        ),
        (
            "a.py",
            "def a(k, more):\n    data = {'api_key': k, 'page_number': 2}\n    \
             data.update(more)\n    return requests.post('AT', data=data)\n",
        ),
        (
            "a.rb",
            "def a(k, o)\n  body = { api_key: k, page_number: 2 }.merge(o)\n  \
             HTTParty.post('AT', body: body)\nend\n",
        ),
        (
            "a.php",
            "<?php\nfunction a($k, $r) {\n  $q = \"api_key=\".$k.\"&page_number=2\";\n  $q .= $r;\n  \
             return post('AT', $q);\n}\n",
        ),
    ] {
        assert_advice(name, code, &["page_number"], "depends");
    }
    // A variable of the same name elsewhere.
    let other = "data = {'api_key': k, 'page_number': 2}\ndef a(data):\n    \
                 return requests.post('AT', data=data)\n";
    assert_advice("a.py", other, &[], "depends");
}

#[test]
fn query_strings_beside_a_url_are_its_parameters() {
    for (name, code, fidelity) in [
        (
            "a.php",
            "<?php\n$url = 'AT';\n$params = \"api_key=\".$k.\"&page_number=2\";\ngo($url, $params);\n",
            "exact",
        ),
        (
            "a.php",
            "<?php\n$url = 'AT';\n$params = \"api_key=\".$k.\"&page_number=2\";\n\
             $params .= $more;\ngo($url, $params);\n",
            "depends",
        ),
        (
            "a.php",
            "<?php\n$ch = curl_init('AT');\n\
             curl_setopt($ch, CURLOPT_POSTFIELDS, \"api_key=$k&page_number=3\");\n",
            "exact",
        ),
        (
            "a.vb",
            "Sub D()\n  Dim r = WebRequest.Create(New Uri(\"AT\"))\n  \
             Dim data As String = \"api_key=\" + K + \"&page_number=\" + N\n  \
             writer.Write(data)\nEnd Sub\n",
            "exact",
        ),
        (
            "a.pl",
            "my $url = \"AT\";\nmy $body = \"api_key=$k&page_number=1\";\n$req->content($body);\n",
            "exact",
        ),
        (
            "a.coffee",
            "u = \"AT\"\nparams = {}\nparams.api_key = k\nparams.page_number = n\n\
             msg.http(u).query(params).post()\n",
            "depends",
        ),
        (
            "a.coffee",
            "cmd = \"AT?api_key=\" + k\ncmd += '&page_number=' + n\nrobot.http(cmd).post()\n",
            "depends",
        ),
    ] {
        assert_advice(name, code, &["page_number"], fidelity);
    }
    // Of two URLs, either may be sent it.
    let shared = "<?php\n$a = 'AT';\n$b = 'AT';\n$p = \"api_key=\".$k;\ngo($a, $p);\n";
    assert_advice("a.php", shared, &[], "depends");
}

#[test]
fn chained_calls_add_parameters() {
    for (name, code, parameters, fidelity) in [
        (
            "a.js",
            "request.post('AT').send({ api_key: k, page_number: 3 }).end(function () {});\n",
            &["page_number"][..],
            "exact",
        ),
        (
            "a.js",
            "request.post('AT?api_key=k').send(data);\n",
            &[],
            "depends",
        ),
        (
            "A.java",
            "class A { void f() {\n  Unirest.post(\"AT\").queryString(\"api_key\", k)\
             .field(\"page_number\", n).asJson();\n} }\n",
            &["page_number"],
            "exact",
        ),
    ] {
        assert_advice(name, code, parameters, fidelity);
    }
}

#[test]
fn credentials_alone_and_small_numbers_are_exact() {
    let call = |more: &str| format!("request.post({{ url: 'AT', qs: {{ api_key: k{more} }} }});\n");
    assert_advice("a.js", &call(""), &[], "exact");
    assert_advice("a.js", &call(", page_size: 30"), &["page_size"], "exact");
    assert_advice("a.js", &call(", page_size: 31"), &["page_size"], "lossy");
    assert_advice("a.js", &call(", page_size: n"), &["page_size"], "lossy");
    assert_advice(
        "a.sh",
        "curl -d api_key=$K -d page_size=30 AT\n",
        &["page_size"],
        "exact",
    );
    assert_advice(
        "a.sh",
        "curl -d api_key=$K -d page_size=$N AT\n",
        &["page_size"],
        "lossy",
    );
    // Nothing says that this is all.
    assert_advice("a.js", "const r = new Request('AT');\n", &[], "depends");
}
