"""Google's OpenID provider, under `{root}/google`. https://developers.google.com/identity/openid-connect/openid-connect"""
