export default { "title": "The sum", "lead": "Every output number is a sum of products.", "result": "result" };
