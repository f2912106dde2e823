def test_started(client):
    event = {"body": "type=STARTED&content=%7B%22uuid%22%3A%20%22a1%22%7D"}
    assert client.post("/zoom", event) == 204
