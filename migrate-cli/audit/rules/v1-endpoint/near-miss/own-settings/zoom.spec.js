it('sends its key', () => {
  client.post(url, { api_key: 'k', api_secret: 's', option_jbh: true })
})
