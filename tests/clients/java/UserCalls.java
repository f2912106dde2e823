// Calls v1 as two Java programs did that outlived it: all parameters in the query string, an empty
// body under a JSON content type, anything but 200 an exception, numbers taken as numbers.
//
// usage: java UserCalls.java V1_URL API_KEY API_SECRET

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class UserCalls {
    private final String url;
    private final String key;
    private final String secret;
    private int count;
    private int failed;

    UserCalls(String url, String key, String secret) {
        this.url = url;
        this.key = key;
        this.secret = secret;
    }

    public static void main(String[] arguments) {
        if (arguments.length != 3) {
            System.err.println("usage: java UserCalls.java V1_URL API_KEY API_SECRET");
            System.exit(2);
        }
        System.exit(new UserCalls(arguments[0], arguments[1], arguments[2]).run() ? 0 : 1);
    }

    boolean run() {
        check("custcreate: type, pmi and verified are numbers, id is text", () -> {
            String user = success("user/custcreate", "email", "java@example.com", "type", "2",
                    "first_name", "Zoë", "disable_chat", "true");
            return number(user, "type") == 2 && number(user, "pmi") > 999_999_999L
                    && number(user, "verified") == 1 && !text(user, "id").isEmpty();
        });
        check("getbyemail: the user that was made", () -> {
            String user = success("user/getbyemail", "email", "java@example.com", "login_type", "99");
            return text(user, "first_name").equals("Zoë") && user.contains("\"disable_chat\":true");
        });
        check("update and get: the change is seen", () -> {
            String id = text(success("user/getbyemail", "email", "java@example.com"), "id");
            success("user/update", "id", id, "dept", "R&D +1", "disable_chat", "false");
            String user = success("user/get", "id", id);
            return text(user, "dept").equals("R&D +1") && user.contains("\"disable_chat\":false");
        });
        check("list: a page of 300", () -> {
            String page = success("user/list", "page_size", "300");
            return number(page, "total_records") > 30 && page.contains("java@example.com");
        });
        check("get of nobody: status 200 and code 1001", () ->
                error("user/get", 1001, "User not exist: nobody", "id", "nobody"));
        check("create again: 1005", () ->
                error("user/custcreate", 1005, "User already in the account",
                        "email", "java@example.com", "type", "1"));
        check("permanentdelete: gone", () -> {
            success("user/permanentdelete", "email", "java@example.com");
            return error("user/getbyemail", 1001, "User not exist", "email", "java@example.com");
        });
        System.out.println("1.." + count);
        return failed == 0;
    }

    interface Check {
        boolean holds() throws IOException;
    }

    void check(String name, Check check) {
        count++;
        boolean held = false;
        String why = "";
        try {
            held = check.holds();
        } catch (IOException | RuntimeException exception) {
            why = "\n# " + exception;
        }
        if (!held) {
            failed++;
        }
        System.out.println((held ? "ok " : "not ok ") + count + " - " + name + why);
    }

    String post(String operation, String... parameters) throws IOException {
        StringBuilder query = new StringBuilder("?api_key=" + key + "&api_secret=" + secret);
        for (int at = 0; at < parameters.length; at += 2) {
            query.append('&').append(parameters[at]).append('=')
                    .append(URLEncoder.encode(parameters[at + 1], StandardCharsets.UTF_8));
        }
        HttpURLConnection connection =
                (HttpURLConnection) URI.create(url + "/" + operation + query).toURL().openConnection();
        connection.setRequestMethod("POST");
        connection.setRequestProperty("Content-Type", "application/json");
        connection.setDoOutput(true);
        connection.getOutputStream().close();
        if (connection.getResponseCode() != 200) {
            throw new IOException("Failed : HTTP error code : " + connection.getResponseCode());
        }
        return new String(connection.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    String success(String operation, String... parameters) throws IOException {
        String answer = post(operation, parameters);
        if (answer.contains("\"error\"")) {
            throw new IOException(answer);
        }
        return answer;
    }

    boolean error(String operation, long code, String message, String... parameters)
            throws IOException {
        String answer = post(operation, parameters);
        return answer.startsWith("{\"error\":") && number(answer, "code") == code
                && text(answer, "message").contains(message);
    }

    static long number(String json, String member) {
        Matcher found = Pattern.compile("\"" + member + "\":(\\d+)[,}]").matcher(json);
        return found.find() ? Long.parseLong(found.group(1)) : -1;
    }

    static String text(String json, String member) {
        Matcher found = Pattern.compile("\"" + member + "\":\"([^\"]*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }
}
