def test_started(client):
    event = {"body": "status=STARTED&uuid=a1&host_id=2"}
    assert client.post("/race", event) == 204
