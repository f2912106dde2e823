def people():
    zk = "Wp3nZk8sQx2vTb7mLr5cYd"
    zs = "Hq7fVm2xKt9bRz4wNc6sPj3dGy8aLe5uXo1i"
    return requests.post("https://api.zoom.us/v1/user/list", data=dict(api_key=zk, api_secret=zs))
