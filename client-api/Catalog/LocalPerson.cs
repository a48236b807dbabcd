namespace DataHub.Catalog;

/// <summary>Somebody whom the local sign-in offers by a button, such as a person of the demo.</summary>
/// <param name="Subject">They are <c>local:{subject}</c>.</param>
/// <param name="Name">For people.</param>
internal sealed record LocalPerson(string Subject, LocalText Name);
