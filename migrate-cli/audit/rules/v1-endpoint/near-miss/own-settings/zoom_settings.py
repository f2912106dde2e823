# Defaults of a form; nothing is sent.
DEFAULTS = {'api_key': '', 'api_secret': '', 'option_jbh': True}


def settings(stored):
    return {'api_key': stored.key, 'api_secret': stored.secret, 'option_jbh': stored.option_jbh}
