package zoombot

import "net/http"

type Credentials struct {
	ClientID          string `json:"client_id"`
	ClientSecret      string `json:"client_secret"`
	VerificationToken string `json:"app_token"`
}

func check(r *http.Request, expected string) bool {
	verification_token := r.Header.Get("Authorization")
	return verification_token == expected
}
