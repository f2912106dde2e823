let base = "//shim.example.com/v1"
