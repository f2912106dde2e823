package rooms

import (
	"os"

	zoom "github.com/zoom-lib-golang/zoom-lib-golang"
)

func people() error {
	client := zoom.NewClient(os.Getenv("KEY"), os.Getenv("SECRET"))
	_, err := client.ListUsers()
	return err
}
