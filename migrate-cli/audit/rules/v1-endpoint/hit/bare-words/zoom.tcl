package require http
set base https://api.zoom.us/v1
proc zoom {path args} {
    global base
    set token [::http::geturl $base/$path -query [::http::formatQuery {*}$args]]
    return [::http::data $token]
}
zoom user/list page_size 100
puts [zoom user/getbyemail email a@example.com login_type 100]
