import Foundation

final class ZoomService {
    private let base = "https://api.zoom.us/v1"

    func create(email: String) {
        post("\(base)/user/custcreate", ["email": email, "type": "1"])
        post(base + "/meeting/create", [:])
    }
}
