package zoom

const apiURL = "https://api.zoom.us/v1"

const (
	listUsersPath      = "/user/list"
	getUserByEmailPath = "/user/getbyemail"
)

// ListUsers calls /user/list.
func (c *Client) ListUsers(opts ListOptions) (Users, error) {
	var users Users
	return users, c.request(listUsersPath, opts, &users)
}
