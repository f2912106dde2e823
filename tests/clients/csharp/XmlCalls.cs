// Calls v1 as C# programs did that wanted XML: WebClient with a form, true and false with a capital,
// answers read by elements of the root.
//
// usage: XmlCalls.exe V1_URL API_KEY API_SECRET

using System;
using System.Collections.Specialized;
using System.Linq;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

static class XmlCalls
{
    static string url, key, secret;
    static int count, failed;

    static XElement Call(string operation, params object[] given)
    {
        var values = new NameValueCollection
        {
            { "api_key", key }, { "api_secret", secret }, { "data_type", "XML" },
        };
        for (int i = 0; i + 1 < given.Length; i += 2)
            values.Add((string)given[i], given[i + 1].ToString());
        using (var client = new WebClient())
        {
            byte[] answer = client.UploadValues(url + "/" + operation, "POST", values);
            return XDocument.Parse(Encoding.UTF8.GetString(answer)).Root;
        }
    }

    static string Text(this XElement element, string name)
    {
        return element.Element(name).Value;
    }

    static void Check(string name, Func<bool> holds)
    {
        count++;
        string why = "";
        bool held = false;
        try { held = holds(); }
        catch (Exception error) { why = "\n# " + error.Message.Replace("\n", " "); }
        if (!held) failed++;
        Console.WriteLine((held ? "ok " : "not ok ") + count + " - " + name + why);
    }

    static int Main(string[] arguments)
    {
        if (arguments.Length != 3)
        {
            Console.Error.WriteLine("usage: XmlCalls.exe V1_URL API_KEY API_SECRET");
            return 2;
        }
        url = arguments[0]; key = arguments[1]; secret = arguments[2];
        string host = null, id = null;

        Check("user/getbyemail: elements of the root", () =>
        {
            XElement user = Call("user/getbyemail", "email", "ada.lovelace@example.com", "login_type", 100);
            host = user.Text("id");
            return user.Name.LocalName == "result" && user.Text("email") == "ada.lovelace@example.com";
        });
        Check("meeting/create of an instant meeting: join_url and start_url", () =>
        {
            XElement meeting = Call("meeting/create", "host_id", host, "topic", "Größen & Maße <1>",
                "type", 1, "option_jbh", true, "option_host_video", false, "option_audio", "both");
            id = meeting.Text("id");
            return Regex.Replace(meeting.Text("join_url"), @"\D", "").Contains(id)
                && meeting.Text("start_url").StartsWith("http") && meeting.Text("topic") == "Größen & Maße <1>"
                && meeting.Text("option_jbh") == "true" && meeting.Text("start_time") == "";
        });
        Check("meeting/list: a child for each meeting", () =>
        {
            XElement page = Call("meeting/list", "host_id", host, "page_size", 300);
            var meetings = page.Element("meetings").Elements("meeting").ToList();
            return meetings.Count == int.Parse(page.Text("total_records")) && meetings[0].Text("topic") != "";
        });
        Check("recording/list: lists in lists", () =>
        {
            XElement page = Call("recording/list", "host_id", host);
            return page.Element("meetings").Elements().First().Element("recording_files").Elements().Any();
        });
        Check("meeting/end of an instant meeting", () =>
            Call("meeting/end", "id", id, "host_id", host).Text("ended_at") != "");
        Check("an error has code and message", () =>
        {
            XElement error = Call("meeting/get", "id", id, "host_id", host);
            if (error.Name.LocalName != "error") error = error.Element("error");
            return error.Text("code") == "3001" && error.Text("message").Contains("not found");
        });
        Console.WriteLine("1.." + count);
        return failed == 0 ? 0 : 1;
    }
}
