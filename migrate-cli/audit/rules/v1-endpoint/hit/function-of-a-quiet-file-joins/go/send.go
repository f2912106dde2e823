package rooms

// What the Zoom pages ask for.
func askAttic(path string, fields Fields) Answer {
	return form(fmt.Sprintf("%s/v%d/%s", attic, 1, path), fields)
}
