Const Url As String = "https://api.zoom.us/v1/user/list"
Const ApiKey As String = "Jm4tQ8wZr2LxN7vBk5HsYd"
Dim ApiSecret As String = "c9XkT3mWq7RzL2vNf8HbJ5sYdG4pQ6tKwZ1a"
