<cfcomponent>
  <cfset variables.base = "https://api.zoom.us/v1/">
  <cffunction name="people">
    <cfhttp url="#variables.base#user/list" method="post" result="answer">
      <cfhttpparam type="formfield" name="api_key" value="#application.zoomKey#">
    </cfhttp>
  </cffunction>
</cfcomponent>
