package rooms

import zoom "github.com/zoom-lib-golang/zoom-lib-golang"

func person(email string) error {
	_, err := zoom.GetUserByEmail(zoom.GetUserByEmailOptions{Email: email})
	return err
}
