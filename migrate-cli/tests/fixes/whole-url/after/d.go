package zoom

const Base = "https://shim.example.com/v1"
