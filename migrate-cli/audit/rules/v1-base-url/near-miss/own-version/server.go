package main

const (
	host    = "example.com"
	version = "/v1"
)
