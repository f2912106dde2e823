// Receives notifications with a form decoder that refuses names it does not know, and numbers
// that are none; the secret is in the query.
package main

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
)

type notification struct {
	ID     int64  `json:"id"`
	UUID   string `json:"uuid"`
	Status string `json:"status"`
	HostID string `json:"host_id"`
}

func decode(form url.Values) (notification, error) {
	var decoded notification
	for name, values := range form {
		if len(values) != 1 {
			return decoded, fmt.Errorf("%s: %d values", name, len(values))
		}
		var err error
		switch value := values[0]; name {
		case "id":
			decoded.ID, err = strconv.ParseInt(value, 10, 64)
		case "uuid":
			decoded.UUID = value
		case "status":
			decoded.Status = value
		case "host_id":
			decoded.HostID = value
		default:
			err = fmt.Errorf("unknown name %s", name)
		}
		if err != nil {
			return decoded, err
		}
	}
	return decoded, nil
}

func receive(writer http.ResponseWriter, request *http.Request) {
	secret := request.URL.Query().Get("secret")
	if subtle.ConstantTimeCompare([]byte(secret), []byte("s3cret")) != 1 {
		http.Error(writer, "wrong secret", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(request.Body)
	var form url.Values
	if err == nil {
		form, err = url.ParseQuery(string(body))
	}
	var decoded notification
	if err == nil {
		decoded, err = decode(form)
	}
	event := map[string]interface{}{
		"body":         string(body),
		"content_type": request.Header.Get("Content-Type"),
	}
	if err != nil {
		event["error"] = err.Error()
		writer.WriteHeader(http.StatusBadRequest)
	} else {
		event["decoded"] = decoded
	}
	line, _ := json.Marshal(event)
	fmt.Println(string(line))
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(http.Serve(listener, http.HandlerFunc(receive)))
}
