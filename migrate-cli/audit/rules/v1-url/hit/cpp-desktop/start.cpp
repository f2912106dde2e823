#include "http.h"

// The meeting of today: https://api.zoom.us/v1/meeting/get
Document start(const std::string &id) {
    Document user = post("https://api.zoom.us/v1/user/get", "id=" + id);
    return post("http://www.zoom.us/api/v1/meeting/create", "host_id=" + id);
}
