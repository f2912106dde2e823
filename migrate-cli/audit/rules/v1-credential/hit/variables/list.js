const k = 'Wp3nZk8sQx2vTb7mLr5cYd'
const s = 'Hq7fVm2xKt9bRz4wNc6sPj3dGy8aLe5uXo1i'
request.post({ url: 'https://api.zoom.us/v1/user/list', form: { api_key: k, api_secret: s } })
