// What the Zoom pages ask for.
func askHall(_ path: String, _ fields: Fields) -> Answer {
    return form("\(hallBase)\(path)", fields)
}
