def test_waiting(client):
    assert client.post("/zoom", "status=WAITING&uuid=a1") == 404
    assert client.get("/zoom?mystatus=ENDED&sort=up") == 404
