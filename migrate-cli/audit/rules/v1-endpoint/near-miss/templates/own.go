package own

import "fmt"

// Zoom levels of the map.
const base = "https://maps.example.com"

func list() string {
	return fmt.Sprintf("%s/v%d/%s", base, 1, "user/list")
}
