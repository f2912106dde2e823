# Zoom lessons
post "/signup/verify" do
  user = User.find_by(verification_token: params[:verification_token])
end
