package zoom

const base = "https://api.zoom.us/v1"

func (c *Client) end(id string) error {
	address, err := url.JoinPath(base, "meeting", "end")
	if err != nil {
		return err
	}
	return c.send(address, id)
}
