URL = "https://api.zoom.us/v1/user/list?api_key=Qm5xT2sWb0aLr7Vd3HkYpg&api_secret=h8Kd0sLq2WvRz5Tn7Yb3Xc9Mf1Gj4Pe6Ua"
options = {"api_key": "Qm5xT2sWb0aLr7Vd3HkYpg", "type": 1}
