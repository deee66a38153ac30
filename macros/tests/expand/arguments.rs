//! Message keys, serde attributes on parameters, and an extractor.

#[handler(user = Member, permission = IsAuthenticated)]
impl Search {
    #[action(deny_unknown)]
    async fn search(
        &self,
        text: &str,
        #[serde(default)] page: u32,
        #[serde(default = "fifty")] limit: u32,
        #[serde(rename = "type")] kind: Option<Kind>,
        #[extract] language: Language,
    ) -> Found {
        self.index.search(text, page, limit, kind, language).await
    }

    #[action(deny_unknown)]
    async fn stop(&self) {}
}
